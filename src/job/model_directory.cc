#include "job/model_directory.h"

namespace palette::job {

const Catalogue& ModelDirectory::open(Diagnostics& diagnostics) {
  if (catalogue_) return *catalogue_;
  Result<Catalogue> built_in = Catalogue::built_in();
  if (!built_in) diagnostics.error(built_in.error());
  catalogue_.emplace(built_in ? std::move(*built_in) : Catalogue{});
  if (user_file_.empty()) return *catalogue_;
  const Result<Document> document = load_document(user_file_);
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
