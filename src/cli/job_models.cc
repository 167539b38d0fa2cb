#include "cli/job_models.h"

#include "model/make_model.h"

namespace palette::cli {

Result<std::vector<std::shared_ptr<model::Model>>> make_job_models(const generate::PreparedJob& prepared,
                                                                   const generate::RunControl& control) {
  model::ModelParts parts;
  parts.stop = control.stop;
  std::vector<std::shared_ptr<model::Model>> models;
  for (const job::CompiledStep& step : prepared.compiled.steps) {
    if (model::needs_corpus(step.models) && !parts.corpus) {
      const Result<std::string> text = prepared.seeds->text_sample(model::NgramCorpus::kTextBytesMax);
      if (!text) return std::unexpected(text.error());
      parts.corpus = std::make_shared<const model::NgramCorpus>(*text);
    }
    auto made = model::make_model(step.models, parts);
    if (!made) return std::unexpected(made.error());
    models.push_back(std::move(*made));
  }
  return models;
}

}  // namespace palette::cli
