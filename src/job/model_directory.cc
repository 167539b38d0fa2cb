#include "job/model_directory.h"

namespace palette::job {

ModelDirectory ModelDirectory::of_text(std::string file, std::string text, std::string region) {
  ModelDirectory out(std::move(file), std::move(region));
  out.user_text_ = std::move(text);
  out.is_read_ = true;
  return out;
}

const Catalogue& ModelDirectory::open(Diagnostics& diagnostics) {
  if (catalogue_) return *catalogue_;
  Result<Catalogue> built_in = Catalogue::built_in();
  if (!built_in) diagnostics.error(built_in.error());
  catalogue_.emplace(built_in ? std::move(*built_in) : Catalogue{});
  if (user_file_.empty()) return *catalogue_;
  Result<std::string> text = is_read_ ? std::move(user_text_) : read_document_text(user_file_);
  if (!text) {
    diagnostics.error(text.error());
    return *catalogue_;
  }
  user_text_ = std::move(*text);
  const Result<Document> document = parse_document(user_file_.string(), user_text_);
  if (document) {
    catalogue_->add(*document, diagnostics);
  } else {
    diagnostics.error(document.error());
  }
  return *catalogue_;
}

Result<ResolvedModel> ModelDirectory::resolve(std::string_view name) {
  const bool is_offline =
      name == "none" || name == "offline" || name.starts_with("offline/") || name.starts_with("offline?");
  if (is_offline) {
    const Result<ModelName> parsed = parse_model_name(name);
    if (!parsed) return std::unexpected(parsed.error());
    ResolvedModel model;
    model.name = name;
    model.parsed = *parsed;
    return model;
  }
  Diagnostics unseen;  // told by whoever opens the directory
  return open(unseen).resolve(name, region_);
}

}  // namespace palette::job
