#include "job/spec.h"

namespace palette::job {
namespace {

JsonArray strings(const std::vector<std::string>& list) {
  JsonArray array;
  for (const std::string& item : list) array.emplace_back(item);
  return array;
}

template <class T>
void put_if(JsonObject& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

void put_if(JsonObject& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

void put_all(JsonObject& into, const JsonObject& from) {
  for (const auto& member : from) into[member.key()] = member.value();
}

JsonObject step_to_json(const StepSpec& step) {
  JsonObject out;
  out["id"] = step.id;
  if (!step.models.empty()) out["model"] = strings(step.models);
  if (step.system) out["system"] = step.system->text();
  out["prompt"] = step.prompt.text();
  put_all(out, step.options.to_json());
  return out;
}

JsonObject template_to_json(const TemplateSpec& templ) {
  JsonObject out;
  put_if(out, "id", templ.id);
  put_if(out, "name", templ.name);
  put_if(out, "description", templ.description);
  put_if(out, "category", templ.category);
  out["version"] = templ.version;
  out["is_public"] = templ.is_public;
  JsonArray required;
  for (const TextField& path : templ.schema_requirements) required.emplace_back(path.text());
  if (!required.empty()) out["schema_requirements"] = std::move(required);
  JsonArray steps;
  for (const StepSpec& step : templ.steps) steps.emplace_back(step_to_json(step));
  out["steps"] = std::move(steps);
  return out;
}

}  // namespace

std::string_view to_string(SeedSampling sampling) {
  switch (sampling) {
    case SeedSampling::random:
      return "random";
    case SeedSampling::shuffle:
      return "shuffle";
    case SeedSampling::sequential:
      return "sequential";
  }
  return {};
}

std::string_view to_string(PartitionStrategy strategy) {
  return strategy == PartitionStrategy::none ? "none" : "timestamp";
}

CallOptions CallOptions::over(const CallOptions& defaults) const {
  CallOptions out = *this;
  if (!out.max_tokens) out.max_tokens = defaults.max_tokens;
  if (!out.temperature) out.temperature = defaults.temperature;
  if (!out.top_p) out.top_p = defaults.top_p;
  if (out.stop.empty()) out.stop = defaults.stop;
  if (!out.cache) out.cache = defaults.cache;
  if (!out.accept_truncated) out.accept_truncated = defaults.accept_truncated;
  if (!out.service_tier) out.service_tier = defaults.service_tier;
  if (!out.additional_fields) out.additional_fields = defaults.additional_fields;
  return out;
}

JsonObject CallOptions::to_json() const {
  JsonObject out;
  put_if(out, "max_tokens", max_tokens);
  put_if(out, "temperature", temperature);
  put_if(out, "top_p", top_p);
  if (!stop.empty()) out["stop"] = strings(stop);
  put_if(out, "cache", cache);
  put_if(out, "service_tier", service_tier);
  put_if(out, "accept_truncated", accept_truncated);
  put_if(out, "additional_fields", additional_fields);
  return out;
}

JsonObject JobSpec::to_json() const {
  JsonObject out;
  put_if(out, "id", id);
  out["name"] = name;
  put_if(out, "description", description);
  if (!models.empty()) out["model"] = strings(models);
  if (seed_key.empty())
    out["seed_data"] = seed_data;
  else
    out["seed_data_path"] = seed_key;
  out["seed_sampling"] = to_string(seed_sampling);
  out["seed"] = seed;
  out["num_records"] = num_records;
  if (budget_limit) out["budget_limit"] = budget_limit->to_decimal();
  JsonArray formats;
  for (OutputFormat format : output_formats) formats.emplace_back(to_string(format));
  out["output_format"] = std::move(formats);
  out["partition_strategy"] = to_string(partition_strategy);
  out["template"] = template_to_json(templ);
  if (!columns.empty()) {
    JsonObject names;
    for (const auto& [name_, text] : columns) names[name_] = text.text();
    out["columns"] = std::move(names);
  }
  put_all(out, options.to_json());
  out["concurrency"] = concurrency;
  put_if(out, "requests_per_minute", requests_per_minute);
  put_if(out, "tokens_per_minute", tokens_per_minute);
  out["max_failure_ratio"] = max_failure_ratio;
  put_if(out, "parts", parts);
  put_if(out, "priority", priority);
  put_if(out, "cpu", cpu);
  put_if(out, "memory", memory);
  put_if(out, "workers", workers);
  return out;
}

}  // namespace palette::job
