// `{% include 'id' %}`: the template files beside a template or job file, found by their template.id. An included
// template is its steps' prompts, joined by a blank line. The folder is looked at only when something is included.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "job/spec.h"

namespace palette::job {

class TemplateLibrary {
 public:
  explicit TemplateLibrary(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // A library that holds exactly these texts: of a job that was saved with them.
  explicit TemplateLibrary(std::map<std::string, std::string> texts) : scanned_(true), texts_(std::move(texts)) {}

  std::optional<std::string> find(std::string_view id);

  // The ids that find() gave so far, with their texts.
  const std::map<std::string, std::string>& used() const { return used_; }
  // Where a line of an included text stands; nothing when it is not known (of a saved job).
  struct Origin {
    const TextField* field;
    std::uint32_t line;  // in the field's text
  };
  std::optional<Origin> origin_of(std::string_view id, std::uint32_t line) const;

  std::vector<std::string_view> ids() const;
  // Files of the folder that could not be read as templates: for the message when an id is missing.
  const std::map<std::string, std::string>& unreadable() const { return unreadable_; }

 private:
  void scan();

  std::filesystem::path folder_;
  bool scanned_ = false;
  struct Prompt {
    TextField field;
    std::uint32_t first_line;  // in the text of the template
  };

  std::map<std::string, std::string> texts_, used_, unreadable_;
  std::map<std::string, std::vector<Prompt>, std::less<>> prompts_;
};

}  // namespace palette::job
