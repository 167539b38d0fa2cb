#include "strict.h"

#include <algorithm>
#include <array>

namespace palette::sim {
namespace {

constexpr std::array<std::string_view, 10> kProfilePrefixes = {"us.", "eu.", "apac.", "au.",     "jp.",
                                                               "ca.", "sa.", "in.",   "us-gov.", "global."};

std::unexpected<Error> invalid(std::string message) { return fail(ErrorKind::bad_input, std::move(message)); }

}  // namespace

bool is_profile(std::string_view model_id) {
  if (model_id.starts_with("arn:")) return model_id.find("inference-profile/") != std::string_view::npos;
  return std::any_of(kProfilePrefixes.begin(), kProfilePrefixes.end(),
                     [&](std::string_view prefix) { return model_id.starts_with(prefix); });
}

Status check_model_rules(const Call& call, const Model& model) {
  if (model.info == nullptr) return {};
  const job::Capabilities& can = model.info->capabilities;
  if (!call.is_openai() && !model.info->on_demand && !is_profile(call.model))
    return invalid("Invocation of model ID " + call.model +
                   " with on-demand throughput isn't supported. Retry your request with the ID or ARN of an inference "
                   "profile that contains this model.");
  if (call.shape == Shape::converse && !can.converse)
    return invalid("The model " + call.model + " doesn't support the Converse API. Use InvokeModel.");
  if (call.has_temperature && !can.temperature) return invalid("`temperature` is deprecated for this model.");
  if (call.has_top_p && !can.top_p) return invalid("`top_p` is deprecated for this model.");
  if (call.has_temperature && call.has_top_p && !can.temperature_with_top_p)
    return invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
  if (!call.stop.empty() && !can.stop) return invalid("This model doesn't support the stopSequences field.");
  if (!call.cache_points.empty() && !can.cache)
    return invalid("You invoked an unsupported model or your request did not allow prompt caching.");
  const std::int64_t most = model.info->output_tokens_max;
  if (call.max_tokens && most > 0 && *call.max_tokens > most)
    return invalid("The maximum tokens you requested exceeds the model limit of " + std::to_string(most) +
                   ". Try again with a maximum tokens value that is lower than " + std::to_string(most) + ".");
  const std::string& tier = call.service_tier;
  const auto& tiers = can.service_tiers;
  if (!call.is_openai() && !tier.empty() && tier != "default" &&
      std::find(tiers.begin(), tiers.end(), tier) == tiers.end())
    return invalid("The service tier '" + tier + "' is not supported for this model.");
  return {};
}

Status check_counts_tokens(const Model& model, bool strict) {
  if (is_profile(model.id)) return invalid("The provided model identifier is invalid.");
  if (strict && model.info != nullptr && !model.info->capabilities.count_tokens)
    return invalid("The provided model doesn't support counting tokens.");
  return {};
}

}  // namespace palette::sim
