#include "generate/model_checks.h"

#include <set>

#include "model/additional_fields.h"
#include "model/call_bound.h"
#include "model/capability_check.h"

namespace palette::generate {
namespace {

bool is_free(const job::TokenPrices& prices) {
  return prices.input == 0 && prices.output == 0 && prices.cache_read == 0 && prices.cache_write == 0;
}

class StepChecker {
 public:
  StepChecker(const job::JobSpec& spec, const job::CompiledStep& step, job::Diagnostics& diagnostics)
      : spec_(spec), step_(step), place_(spec.templ.steps[step.position]), diagnostics_(diagnostics) {}

  void check(const job::ResolvedModel& model) {
    if (model.parsed.provider == job::Provider::offline || model.parsed.provider == job::Provider::none) return;
    for (const std::string& complaint : model::unsupported_options(step_.options, step_.system.has_value(), model))
      complain(complaint);
    if (step_.options.additional_fields) {
      const Status allowed = model::check_additional_fields(*step_.options.additional_fields, model);
      if (!allowed) complain(allowed.error().message);
    }
    if (spec_.budget_limit) check_affordable(model);
  }

 private:
  void check_affordable(const job::ResolvedModel& model) {
    const std::string tier = step_.options.service_tier.value_or("");
    const auto prices = model.prices(tier);
    if (!prices) {
      complain("no price is known for the model '" + model.name + "'" +
               (tier.empty() || tier == "default" ? "" : " in the service tier '" + tier + "'") +
               ", so budget_limit could not be kept; give its price in a file of models (--models FILE, see "
               "docs/models.md), or leave budget_limit out");
    } else if (!is_free(*prices) && !model::output_tokens_max(step_.options, model)) {
      complain("max_tokens is missing: how long an answer of the model '" + model.name +
               "' can be is not known, so budget_limit could not be kept");
    }
  }

  void complain(const std::string& message) {
    if (told_.insert(message).second) diagnostics_.error(place_.file, place_.mark, place_.field, message);
  }

  const job::JobSpec& spec_;
  const job::CompiledStep& step_;
  const job::StepSpec& place_;
  job::Diagnostics& diagnostics_;
  std::set<std::string> told_;
};

}  // namespace

StepModels look_up_models(const job::CompiledJob& compiled, job::ModelDirectory& directory) {
  StepModels out;
  for (const job::CompiledStep& step : compiled.steps) {
    std::vector<job::ResolvedModel>& models = out.emplace_back();
    for (const std::string& name : step.models) {
      if (Result<job::ResolvedModel> model = directory.resolve(name)) models.push_back(std::move(*model));
    }
  }
  return out;
}

void check_step_models(const job::JobSpec& spec, const job::CompiledJob& compiled, const StepModels& models,
                       job::Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < compiled.steps.size(); ++i) {
    StepChecker checker(spec, compiled.steps[i], diagnostics);
    for (const job::ResolvedModel& model : models[i]) checker.check(model);
  }
}

}  // namespace palette::generate
