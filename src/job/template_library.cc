#include "job/template_library.h"

#include <algorithm>
#include <vector>

#include "base/limits.h"
#include "job/read_spec.h"

namespace palette::job {

std::optional<std::string> TemplateLibrary::find(std::string_view id) {
  if (!scanned_) scan();
  const auto found = texts_.find(std::string(id));
  if (found == texts_.end()) return std::nullopt;
  used_.insert(*found);
  return found->second;
}

void TemplateLibrary::scan() {
  scanned_ = true;
  std::error_code ec;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.empty() ? "." : folder_, ec)) {
    const auto extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") files.push_back(entry.path());
    if (files.size() >= limits::kIncludeFilesMax) break;
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    Result<Document> document = load_document(file);
    if (!document) {
      unreadable_[file.string()] = document.error().text();
      continue;
    }
    if (document->root.find("template") == nullptr && document->root.find("steps") == nullptr) continue;
    if (document->root.find("num_records") != nullptr) continue;  // a job
    Diagnostics diagnostics;
    const TemplateSpec templ = read_template_file(*document, diagnostics);
    if (!diagnostics.ok()) {
      unreadable_[file.string()] = diagnostics.sorted().front().text();
      continue;
    }
    std::string text;
    for (const StepSpec& step : templ.steps) text += (text.empty() ? "" : "\n\n") + step.prompt.text();
    if (!templ.id.empty()) texts_.emplace(templ.id, std::move(text));
  }
}

}  // namespace palette::job
