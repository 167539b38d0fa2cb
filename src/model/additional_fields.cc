#include "model/additional_fields.h"

#include <array>

namespace palette::model {
namespace {

struct OwnedField {
  std::string_view parent, key;
  std::string_view instead;  // goes on "additional_fields.<name> is not allowed: "
};

constexpr std::string_view kOneAnswer = "a step takes one answer; raise num_records for more";
constexpr std::string_view kLimit =
    "the budget counts with the limit of an answer; set max_tokens of the step or of the job";
constexpr std::string_view kWhole = "answers are read whole; remove it";
constexpr std::string_view kModel = "the budget counts with the model's prices; set model of the step or of the job";
constexpr std::string_view kPrompt = "what is asked comes from the template; write it in the step's prompt";
constexpr std::string_view kSystem = "the system text comes from the template; write it in the step's system";
constexpr std::string_view kTier = "the tier decides the price; set service_tier of the step or of the job";
constexpr std::string_view kExtraCost = "it costs money that the budget cannot see; remove it";
constexpr std::string_view kTextOnly = "only text is asked for and paid for; remove it";

// Names of every provider at once: what one ignores does no harm, and a job's fallbacks share their options.
constexpr std::array kOwned = std::to_array<OwnedField>({
    {"", "n", kOneAnswer},
    {"", "n_cmpl", kOneAnswer},
    {"", "best_of", kOneAnswer},
    {"", "num_return_sequences", kOneAnswer},
    {"", "max_tokens", kLimit},
    {"", "max_completion_tokens", kLimit},
    {"", "max_gen_len", kLimit},
    {"", "maxTokens", kLimit},
    {"", "max_new_tokens", kLimit},
    {"", "maxTokenCount", kLimit},
    {"", "n_predict", kLimit},
    {"", "num_predict", kLimit},
    {"inferenceConfig", "maxTokens", kLimit},
    {"inferenceConfig", "max_new_tokens", kLimit},
    {"textGenerationConfig", "maxTokenCount", kLimit},
    {"", "stream", kWhole},
    {"", "stream_options", kWhole},
    {"", "model", kModel},
    {"", "models", kModel},
    {"", "modelId", kModel},
    {"", "messages", kPrompt},
    {"", "prompt", kPrompt},
    {"", "inputText", kPrompt},
    {"", "system", kSystem},
    {"", "service_tier", kTier},
    {"", "serviceTier", kTier},
    {"", "web_search_options", kExtraCost},
    {"", "plugins", kExtraCost},
    {"", "prediction", kExtraCost},
    {"", "modalities", kTextOnly},
    {"", "audio", kTextOnly},
});

constexpr std::array<std::string_view, 2> kNested = {"inferenceConfig", "textGenerationConfig"};

Status check_level(const JsonObject& fields, std::string_view parent, const job::ResolvedModel& model) {
  const std::string place = "additional_fields." + (parent.empty() ? "" : std::string(parent) + ".");
  for (const OwnedField& owned : kOwned) {
    if (owned.parent != parent || !fields.contains(owned.key)) continue;
    return fail(ErrorKind::bad_input, place + std::string(owned.key) + " is not allowed for " + model.name + ": " +
                                          std::string(owned.instead));
  }
  return {};
}

}  // namespace

bool is_owned_field(std::string_view parent, std::string_view key) {
  for (const OwnedField& owned : kOwned) {
    if (owned.parent == parent && owned.key == key) return true;
  }
  return false;
}

Status check_additional_fields(const JsonObject& fields, const job::ResolvedModel& model) {
  if (Status top = check_level(fields, "", model); !top) return top;
  for (std::string_view name : kNested) {
    const Json* nested = fields.if_contains(name);
    if (nested == nullptr) continue;
    if (!nested->is_object()) {
      return fail(ErrorKind::bad_input, "additional_fields." + std::string(name) + " is " +
                                            std::string(json_kind_name(*nested)) + "; an object is expected");
    }
    if (Status inner = check_level(nested->get_object(), name, model); !inner) return inner;
  }
  return {};
}

}  // namespace palette::model
