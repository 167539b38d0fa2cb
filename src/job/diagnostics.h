// Everything that is wrong with a job, gathered before it is told: each with its place, so that a user mends the file
// once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "job/document.h"

namespace palette::job {

struct Diagnostic {
  enum class Severity { error, warning } severity = Severity::error;
  std::string file;
  Mark mark;                 // line 0: the file as a whole
  std::string field;         // "steps[1].prompt"; may be empty
  std::string message;       // what was found, what is allowed
  std::string excerpt = {};  // the line of a template and a caret under it, or empty

  std::string text() const;            // "job.yaml:3:7: error: num_records: …", and the excerpt
  std::string where_and_what() const;  // "job.yaml:3:7: num_records: …"
  std::string place() const;           // "job.yaml:3:7"
  std::string what() const;            // "num_records: …"
};

class Diagnostics {
 public:
  void error(std::string file, Mark mark, std::string field, std::string message, std::string excerpt = {});
  void warning(std::string file, Mark mark, std::string field, std::string message);
  // An Error whose `where` is a file.
  void error(const Error& error);

  bool ok() const { return errors_ == 0; }  // warnings may be there
  // limits::kDiagnosticsMax errors (and as many warnings) are kept; more are only counted, and whoever looks for them
  // may stop.
  bool full() const;
  const std::vector<Diagnostic>& all() const { return all_; }
  // By file and position, errors and warnings mixed; the same finding twice is told once. The last says how many more
  // there were than are kept.
  std::vector<Diagnostic> sorted() const;

 private:
  void add(Diagnostic diagnostic);

  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0, warnings_ = 0, not_kept_ = 0;
};

}  // namespace palette::job
