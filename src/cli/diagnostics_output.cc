#include "cli/diagnostics_output.h"

#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"

namespace palette::cli {

void tell_findings(const job::Diagnostics& diagnostics, bool quiet) {
  std::size_t errors = 0;
  for (const job::Diagnostic& finding : diagnostics.sorted()) {
    const bool is_error = finding.severity == job::Diagnostic::Severity::error;
    errors += is_error;
    if (!is_error && quiet) continue;
    std::string text = finding.text();
    const std::string_view word = is_error ? "error:" : "warning:";
    if (const std::size_t at = text.find(word); at != std::string::npos) {
      text.replace(at, word.size(), styled(stderr, is_error ? Style::error : Style::warning, word));
    }
    std::fprintf(stderr, "%s\n", text.c_str());
  }
  if (errors > 0) {
    std::fprintf(stderr, "%s%zu error%s; nothing was started\n", diagnostics.full() ? "at least " : "", errors,
                 errors == 1 ? "" : "s");
  }
}

int tell_invalid(const job::Diagnostics& diagnostics, bool json) {
  tell_findings(diagnostics, false);
  if (json) {
    JsonObject event;
    event["event"] = "invalid";
    event["findings"] = findings_json(diagnostics);
    std::printf("%s\n", to_json_text(event).c_str());
  }
  return kBadInput;
}

JsonArray findings_json(const job::Diagnostics& diagnostics) {
  JsonArray out;
  for (const job::Diagnostic& finding : diagnostics.sorted()) {
    JsonObject object;
    object["severity"] = finding.severity == job::Diagnostic::Severity::error ? "error" : "warning";
    object["file"] = finding.file;
    object["line"] = finding.mark.line;
    object["column"] = finding.mark.column;
    object["field"] = finding.field;
    object["message"] = finding.message;
    object["excerpt"] = finding.excerpt;
    out.emplace_back(std::move(object));
  }
  return out;
}

}  // namespace palette::cli
