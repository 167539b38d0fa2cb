#include "model/make_model.h"

#include <algorithm>

namespace palette::model {

Result<std::shared_ptr<Model>> make_model(const std::vector<std::string>& names, const ModelParts& parts) {
  std::vector<std::shared_ptr<Model>> models;
  for (const std::string& full_name : names) {
    const Result<job::ModelName> name = job::parse_model_name(full_name);
    if (!name) return std::unexpected(name.error());
    switch (name->provider) {
      case job::Provider::offline:
        models.push_back(with_retries(make_offline_model(full_name, *name, parts.corpus), parts.retry, parts.stop));
        break;
      case job::Provider::none:
      case job::Provider::bedrock:
      case job::Provider::openai:
        return fail(ErrorKind::bad_input, "the model '" + full_name + "' cannot be called");
    }
  }
  return with_fallbacks(std::move(models));
}

bool needs_corpus(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [](const std::string& full_name) {
    const Result<job::ModelName> name = job::parse_model_name(full_name);
    return name && name->provider == job::Provider::offline && name->variant != "echo";
  });
}

}  // namespace palette::model
