// The catalogue of models: what each is called, what it can do, what it costs. The built-in one is models.yaml beside
// this file, compiled in; a user's own file (`--models FILE`, PALETTE_MODELS) adds to it and overrides it.
//
//   Result<Catalogue> catalogue = Catalogue::built_in();
//   Result<ResolvedModel> model = catalogue->resolve("claude-haiku", "us-east-1");
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "job/diagnostics.h"
#include "job/document.h"
#include "job/model_name.h"

namespace palette::job {

// Which body InvokeModel wants, and which text format its prompts have. `other`: Converse only.
enum class ModelFamily : std::uint8_t { anthropic, llama, mistral_text, mistral_chat, nova, titan, openai, other };
std::string_view to_string(ModelFamily family);

// Pico-dollars (10^-12 USD) of one token: the price in USD per million tokens, times 10^6.
struct TokenPrices {
  std::int64_t input = 0, output = 0;
  std::int64_t cache_read = 0, cache_write = 0, cache_write_1h = 0;  // as input where the catalogue says nothing

  std::int64_t dearest_input(bool with_cache) const;
  bool operator==(const TokenPrices&) const = default;
};

// What a model takes. A parameter that it refuses is an error of the job's, told before anything runs.
struct Capabilities {
  bool converse = true;  // else InvokeModel
  bool system = true;
  bool temperature = true, top_p = true;
  bool temperature_with_top_p = true;  // both in one request
  bool stop = true;
  bool prefill = true;  // a last message of the assistant's
  bool forced_tools = true;
  bool cache = false;  // prompt caching by cache points
  bool count_tokens = false;
  bool usage_includes_cache = false;       // input_tokens counts cached tokens too
  bool max_completion_tokens = false;      // openai: the newer name of max_tokens
  std::vector<std::string> service_tiers;  // beside `default`
};

struct ModelInfo {
  std::string id;  // Bedrock: the base model id; others: what is sent as `model`
  std::string display_name, vendor;
  Provider provider = Provider::bedrock;
  ModelFamily family = ModelFamily::other;
  std::vector<std::string> aliases;
  std::vector<std::string> profiles;  // prefixes of inference profiles: "us", "eu", "apac", "global"
  bool on_demand = true;              // the base id can be called; else only a profile
  std::int64_t context_tokens = 0;
  std::int64_t output_tokens_max = 0;  // of one answer
  std::int64_t burn_down = 1;          // tokens of quota per output token (Bedrock)
  Capabilities capabilities;
  // By "<scope>" or "<scope>/<tier>": scope `geo` (in the region, or a geographic profile) or `global`, tier `flex`,
  // `priority` or `batch`. Empty: no price is known. Beside these, where they cost more than `geo`: a profile's prefix
  // ("eu"), and `elsewhere`, for the base id in a region outside the USA.
  std::map<std::string, TokenPrices> prices;
  std::string price_source, price_date;
};

// A server that speaks OpenAI's protocol.
struct Endpoint {
  std::string name;                    // models are named <name>/<model>
  std::string url;                     // base, with /v1
  std::string key_variable;            // environment variable that holds the key; empty: none is sent
  std::optional<TokenPrices> prices;   // of its models that have none of their own
  std::int64_t output_tokens_max = 0;  // 0: not known
};

// What runs beside models, for jobs in AWS. Pico-dollars.
struct InfrastructurePrices {
  std::int64_t vcpu_second = 0, gb_second = 0;  // Fargate (of memory)
  std::int64_t s3_put = 0, s3_get = 0;          // a request
  std::int64_t dynamodb_write_unit = 0, dynamodb_read_unit = 0;
  std::string source, date;
};

// A model's name in a job, looked up.
struct ResolvedModel {
  std::string
      name;  // canonical: "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", "openai/gpt-4o-mini", "offline"
  ModelName parsed;
  std::string id;                            // what is sent: model id, profile id or ARN; OpenAI's `model`
  std::shared_ptr<const ModelInfo> info;     // null: the catalogue does not know it
  std::shared_ptr<const Endpoint> endpoint;  // of a named endpoint; null: OPENAI_BASE_URL
  std::string scope = "geo";                 // of the price: geo, global or elsewhere

  // Of the tier (`default`, `flex`, `priority`, or empty). Nothing when no price is known; offline models cost zero.
  std::optional<TokenPrices> prices(std::string_view tier) const;
};

class Catalogue {
 public:
  // The compiled-in one; an error would be a bug that a test finds.
  static Result<Catalogue> built_in();

  // Adds the models, endpoints and prices of a user's file, and overrides what has the same id. Every complaint, with
  // line and column, goes to the diagnostics.
  void add(const Document& document, Diagnostics& diagnostics);

  // By full name ("bedrock/<id, profile id or ARN>", "openai/<model>", "<endpoint>/<model>"), bare Bedrock id, or
  // alias; `region` chooses an alias's geographic profile ("" is taken as us-east-1). bad_input with the nearest known
  // names. An id that the catalogue does not know is allowed with its provider's prefix: it has no price then.
  Result<ResolvedModel> resolve(std::string_view name, std::string_view region) const;

  const std::vector<std::shared_ptr<const ModelInfo>>& models() const { return models_; }
  const std::vector<std::shared_ptr<const Endpoint>>& endpoints() const { return endpoints_; }
  const InfrastructurePrices& infrastructure() const { return infrastructure_; }

 private:
  std::vector<std::shared_ptr<const ModelInfo>> models_;
  std::vector<std::shared_ptr<const Endpoint>> endpoints_;
  InfrastructurePrices infrastructure_;
};

}  // namespace palette::job
