#include "model/capability_check.h"

#include <algorithm>

namespace palette::model {
namespace {

std::int64_t output_tokens_max(const job::ResolvedModel& model) {
  if (model.info && model.info->output_tokens_max > 0) return model.info->output_tokens_max;
  return model.endpoint ? model.endpoint->output_tokens_max : 0;
}

// "default", "default and flex", "default, flex and priority".
std::string tier_list(const std::vector<std::string>& tiers) {
  std::string out = "default";
  for (std::size_t i = 0; i < tiers.size(); ++i) out += (i + 1 == tiers.size() ? " and " : ", ") + tiers[i];
  return out;
}

// The Llama body of InvokeModel has no member for stop sequences, whatever the model itself could do.
bool takes_stop(const job::ResolvedModel& model) {
  const bool has_member =
      uses_converse(model) || model.info == nullptr || model.info->family != job::ModelFamily::llama;
  return capabilities_of(model).stop && has_member;
}

void check_sampling(const job::CallOptions& options, const job::ResolvedModel& model, std::vector<std::string>& out) {
  const job::Capabilities& can = capabilities_of(model);
  if (options.temperature && !can.temperature) {
    out.push_back("temperature: " + model.name + " refuses it; leave it out");
  }
  if (options.top_p && !can.top_p) out.push_back("top_p: " + model.name + " refuses it; leave it out");
  if (options.temperature && options.top_p && can.temperature && can.top_p && !can.temperature_with_top_p) {
    out.push_back("top_p: " + model.name + " takes temperature or top_p, not both in one request; leave one out");
  }
  if (!options.stop.empty() && !takes_stop(model)) {
    out.push_back("stop: " + model.name + " takes no stop sequences; leave it out");
  }
}

}  // namespace

const job::Capabilities& capabilities_of(const job::ResolvedModel& model) {
  static const job::Capabilities unknown;
  return model.info ? model.info->capabilities : unknown;
}

bool uses_converse(const job::ResolvedModel& model) {
  // Of `other` no body for InvokeModel is known.
  return capabilities_of(model).converse || model.info->family == job::ModelFamily::other;
}

bool offers_cache(const job::ResolvedModel& model) {
  if (!capabilities_of(model).cache) return false;
  const job::ModelFamily family = model.info->family;
  return uses_converse(model) || family == job::ModelFamily::anthropic || family == job::ModelFamily::nova;
}

std::vector<std::string> unsupported_options(const job::CallOptions& options, bool has_system,
                                             const job::ResolvedModel& model) {
  std::vector<std::string> out;
  const job::Provider provider = model.parsed.provider;
  if (provider != job::Provider::bedrock && provider != job::Provider::openai) return out;
  check_sampling(options, model, out);
  if (const std::int64_t limit = output_tokens_max(model); limit > 0 && options.max_tokens.value_or(0) > limit) {
    out.push_back("max_tokens: found " + std::to_string(*options.max_tokens) + "; an answer of " + model.name +
                  " has at most " + std::to_string(limit) + " tokens");
  }
  const std::string tier = options.service_tier.value_or("default");
  const std::vector<std::string>& tiers = capabilities_of(model).service_tiers;
  if (model.info && tier != "default" && std::find(tiers.begin(), tiers.end(), tier) == tiers.end()) {
    out.push_back("service_tier: " + model.name + " is not offered as '" + tier + "'; it has " + tier_list(tiers));
  }
  // Without a system text there is nothing to cache, and nothing to complain of.
  const bool wants_cache = options.cache.value_or(false) && has_system && provider == job::Provider::bedrock;
  if (wants_cache && model.info && !offers_cache(model)) {
    out.push_back("cache: " + model.name + " has no prompt caching; leave it out");
  }
  return out;
}

}  // namespace palette::model
