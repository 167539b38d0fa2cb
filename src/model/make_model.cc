#include "model/make_model.h"

#include <algorithm>

#include "model/metered_model.h"

namespace palette::model {

Result<std::shared_ptr<Model>> ModelMaker::make(const std::vector<job::ResolvedModel>& fallbacks) {
  std::vector<std::shared_ptr<Model>> models;
  for (const job::ResolvedModel& resolved : fallbacks) {
    std::shared_ptr<Model>& model = made_[resolved.name];
    if (model == nullptr) {
      Result<std::shared_ptr<Model>> made = make_one(resolved);
      if (!made) return made;
      model = std::move(*made);
    }
    models.push_back(model);
  }
  return with_fallbacks(std::move(models));
}

Result<std::shared_ptr<Model>> ModelMaker::make_one(const job::ResolvedModel& resolved) {
  switch (resolved.parsed.provider) {
    case job::Provider::offline:
      return with_retries(make_offline_model(resolved.name, resolved.parsed, parts_.corpus), parts_.offline_retries,
                          parts_.stop);
    case job::Provider::bedrock:
    case job::Provider::openai:
      return make_remote(resolved);
    case job::Provider::none:
      break;
  }
  return fail(ErrorKind::bad_input, "the model '" + resolved.name + "' cannot be called");
}

Result<std::shared_ptr<Model>> ModelMaker::make_remote(const job::ResolvedModel& resolved) {
  Result<std::shared_ptr<Provider>> provider = parts_.provider_of(resolved);
  if (!provider) return std::unexpected(provider.error());
  auto health = std::make_shared<ModelHealth>(parts_.executor, resolved.name, parts_.health, parts_.stop, *parts_.clock,
                                              parts_.notice);
  MeteredParts metered;
  metered.provider = std::move(*provider);
  metered.resolved = resolved;
  metered.limiter = std::make_shared<CallLimiter>(parts_.executor, parts_.limits, parts_.stop, *parts_.clock);
  metered.health = health;
  metered.meter = parts_.meter;
  metered.clock = parts_.clock;
  metered.gate = parts_.gate;
  return with_retries(std::make_shared<MeteredModel>(std::move(metered)), parts_.retries, parts_.stop,
                      std::move(health));
}

bool needs_corpus(const std::vector<job::ResolvedModel>& models) {
  return std::any_of(models.begin(), models.end(), [](const job::ResolvedModel& model) {
    return model.parsed.provider == job::Provider::offline && model.parsed.variant != "echo";
  });
}

}  // namespace palette::model
