#include "generate/job_models.h"

#include <algorithm>

#include "model/make_model.h"

namespace palette::generate {

Result<std::vector<std::shared_ptr<model::Model>>> make_job_models(const PreparedJob& prepared,
                                                                   const RunControl& control, const CallParts& calls) {
  model::ModelParts parts;
  parts.stop = control.stop;
  parts.executor = calls.executor;
  parts.clock = &calls.clock;
  parts.meter = calls.meter;
  parts.notice = calls.notice;
  parts.gate = calls.gate;
  parts.limits = {prepared.spec.concurrency, prepared.spec.requests_per_minute, prepared.spec.tokens_per_minute};
  parts.provider_of = [&connections = calls.connections](const job::ResolvedModel& model) {
    return connections.provider_of(model);
  };
  const bool any_corpus = std::ranges::any_of(prepared.step_models, model::needs_corpus);
  if (any_corpus) {
    const Result<std::string> text = prepared.seeds->text_sample(model::NgramCorpus::kTextBytesMax);
    if (!text) return std::unexpected(text.error());
    parts.corpus = std::make_shared<const model::NgramCorpus>(*text);
  }
  model::ModelMaker maker(std::move(parts));
  std::vector<std::shared_ptr<model::Model>> models;
  for (const std::vector<job::ResolvedModel>& fallbacks : prepared.step_models) {
    auto made = maker.make(fallbacks);
    if (!made) return std::unexpected(made.error());
    models.push_back(std::move(*made));
  }
  return models;
}

}  // namespace palette::generate
