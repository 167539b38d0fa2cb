#include "job/diagnostics.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/limits.h"

namespace palette::job {

std::string Diagnostic::text() const {
  std::string out = place() + (severity == Severity::error ? ": error: " : ": warning: ") + what();
  if (!excerpt.empty()) out += "\n" + excerpt;
  return out;
}

std::string Diagnostic::where_and_what() const { return place() + ": " + what(); }

std::string Diagnostic::place() const {
  if (mark.line == 0) return file;
  return file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
}

std::string Diagnostic::what() const { return field.empty() ? message : field + ": " + message; }

bool Diagnostics::full() const { return errors_ >= limits::kDiagnosticsMax; }

void Diagnostics::add(Diagnostic diagnostic) {
  std::size_t& count = diagnostic.severity == Diagnostic::Severity::error ? errors_ : warnings_;
  if (++count > limits::kDiagnosticsMax) {
    ++not_kept_;
  } else {
    if (diagnostic.excerpt.ends_with('\n')) diagnostic.excerpt.pop_back();
    all_.push_back(std::move(diagnostic));
  }
}

void Diagnostics::error(std::string file, Mark mark, std::string field, std::string message, std::string excerpt) {
  add(Diagnostic{Diagnostic::Severity::error, std::move(file), mark, std::move(field), std::move(message),
                 std::move(excerpt)});
}

void Diagnostics::warning(std::string file, Mark mark, std::string field, std::string message) {
  add(Diagnostic{Diagnostic::Severity::warning, std::move(file), mark, std::move(field), std::move(message)});
}

void Diagnostics::error(const Error& error) {
  add(Diagnostic{Diagnostic::Severity::error, error.where, Mark{error.line, error.column}, "", error.message});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> out;
  std::set<std::string> seen;
  for (const Diagnostic& d : all_) {
    if (seen.insert(d.text()).second) out.push_back(d);
  }
  std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.mark.line, a.mark.column) < std::tie(b.file, b.mark.line, b.mark.column);
  });
  if (not_kept_ > 0) {
    out.push_back(Diagnostic{Diagnostic::Severity::warning, out.back().file, Mark{0, 0}, "",
                             std::to_string(not_kept_) + " more were found that are not told; mend these first"});
  }
  return out;
}

}  // namespace palette::job
