#include "job/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace palette::job {

std::string Diagnostic::text() const {
  std::string out = file;
  if (mark.line != 0) out += ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
  out += severity == Severity::error ? ": error: " : ": warning: ";
  if (!field.empty()) out += field + ": ";
  out += message;
  if (!excerpt.empty()) out += "\n" + excerpt;
  return out;
}

void Diagnostics::error(std::string file, Mark mark, std::string field, std::string message, std::string excerpt) {
  all_.push_back(Diagnostic{Diagnostic::Severity::error, std::move(file), mark, std::move(field), std::move(message),
                            std::move(excerpt)});
}

void Diagnostics::warning(std::string file, Mark mark, std::string field, std::string message) {
  all_.push_back(Diagnostic{Diagnostic::Severity::warning, std::move(file), mark, std::move(field), std::move(message)});
}

void Diagnostics::error(const Error& error) {
  all_.push_back(Diagnostic{Diagnostic::Severity::error, error.where, Mark{error.line, error.column}, "", error.message});
}

bool Diagnostics::ok() const {
  return std::none_of(all_.begin(), all_.end(),
                      [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; });
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> out;
  for (const Diagnostic& d : all_) {
    const bool seen = std::any_of(out.begin(), out.end(), [&](const Diagnostic& o) { return o.text() == d.text(); });
    if (!seen) out.push_back(d);
  }
  std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.mark.line, a.mark.column) < std::tie(b.file, b.mark.line, b.mark.column);
  });
  return out;
}

}  // namespace palette::job
