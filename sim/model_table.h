// The models that were called, each with its prices, its limits and what was counted of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "answer.h"
#include "base/result.h"
#include "job/catalogue.h"
#include "quota.h"

namespace palette::sim {

// Pico-dollars; 128 bits, so that a long benchmark cannot overflow it.
using PicoSum = __int128;

// Exact decimal dollars: "0.0125".
std::string to_decimal(PicoSum pico);

struct Counted {
  std::int64_t calls = 0;  // billed
  std::int64_t input = 0, output = 0, cache_read = 0, cache_write = 0;
  PicoSum cost_pico = 0;           // of every billed call
  PicoSum cost_answered_pico = 0;  // of those that gave an answer
};

struct Model {
  std::string id;                              // as it was called
  std::shared_ptr<const job::ModelInfo> info;  // null: the catalogue does not know it
  job::ModelFamily family = job::ModelFamily::other;
  std::map<std::string, std::optional<job::TokenPrices>, std::less<>> prices;  // by tier, as far as asked
  job::ResolvedModel resolved;
  bool is_resolved = false;
  Quota quota;
  Counted counted;

  std::int64_t output_tokens_max() const;
  std::int64_t burn_down() const;
  // Zero where no price is known.
  PicoSum cost_pico(const Usage& usage, std::string_view tier);
  bool has_price(std::string_view tier);

 private:
  const std::optional<job::TokenPrices>& prices_of(std::string_view tier);
};

class ModelTable {
 public:
  static constexpr std::size_t kModelsMax = 1'000;

  explicit ModelTable(job::Catalogue catalogue) : catalogue_(std::move(catalogue)) {}

  // The model of a Bedrock id, profile id or ARN, or of OpenAI's name; made at its first call. Lives as long as the
  // table. too_large when there are too many.
  Result<Model*> find(std::string_view id, bool is_openai);
  void reset_counts();
  const std::map<std::string, std::unique_ptr<Model>, std::less<>>& all() const { return models_; }
  const job::Catalogue& catalogue() const { return catalogue_; }

 private:
  std::vector<std::string> names_of(std::string_view id, bool is_openai) const;

  job::Catalogue catalogue_;
  std::map<std::string, std::unique_ptr<Model>, std::less<>> models_;
};

}  // namespace palette::sim
