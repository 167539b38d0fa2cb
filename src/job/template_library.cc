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

std::optional<TemplateLibrary::Origin> TemplateLibrary::origin_of(std::string_view id, std::uint32_t line) const {
  const auto found = prompts_.find(id);
  if (found == prompts_.end() || line == 0) return std::nullopt;
  const auto& prompts = found->second;
  const auto after = std::ranges::find_if(prompts, [&](const Prompt& prompt) { return prompt.first_line > line; });
  if (after == prompts.begin()) return std::nullopt;
  const Prompt& prompt = *std::prev(after);
  return Origin{&prompt.field, line - prompt.first_line + 1};
}

std::vector<std::string_view> TemplateLibrary::ids() const {
  std::vector<std::string_view> out;
  for (const auto& [id, text] : texts_) out.push_back(id);
  return out;
}

void TemplateLibrary::scan() {
  scanned_ = true;
  std::error_code ec;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.empty() ? "." : folder_, ec)) {
    const auto extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json")
      files.push_back(entry.path().lexically_normal());
    if (files.size() >= limits::kIncludeFilesMax) break;
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    Result<Document> document = load_document(file);
    if (!document) {
      unreadable_[file.string()] = document.error().at(file.string()).text();
      continue;
    }
    if (document->root.find("template") == nullptr && document->root.find("steps") == nullptr) continue;
    if (document->root.find("num_records") != nullptr) continue;  // a job
    Diagnostics diagnostics;
    const TemplateSpec templ = read_template_file(*document, diagnostics);
    if (!diagnostics.ok()) {
      unreadable_[file.string()] = diagnostics.sorted().front().where_and_what();
      continue;
    }
    std::string text;
    std::vector<Prompt> prompts;
    for (const StepSpec& step : templ.steps) {
      if (!text.empty()) text += "\n\n";
      prompts.push_back({step.prompt, 1 + static_cast<std::uint32_t>(std::ranges::count(text, '\n'))});
      text += step.prompt.text();
    }
    if (templ.id.empty() || !texts_.emplace(templ.id, std::move(text)).second) continue;
    prompts_.emplace(templ.id, std::move(prompts));
  }
}

}  // namespace palette::job
