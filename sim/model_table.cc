#include "model_table.h"

#include <algorithm>

#include "call.h"

namespace palette::sim {
namespace {

// Of a model that no catalogue knows.
constexpr std::int64_t kOutputTokensMaxUnknown = 4'096;

}  // namespace

std::string to_decimal(PicoSum pico) {
  constexpr PicoSum kDollar = 1'000'000'000'000;
  std::string fraction;
  for (PicoSum rest = pico % kDollar, place = kDollar / 10; place > 0; place /= 10)
    fraction += static_cast<char>('0' + static_cast<int>(rest / place % 10));
  std::string whole;
  for (PicoSum rest = pico / kDollar; rest > 0; rest /= 10)
    whole += static_cast<char>('0' + static_cast<int>(rest % 10));
  std::reverse(whole.begin(), whole.end());
  if (whole.empty()) whole = "0";
  fraction.resize(fraction.find_last_not_of('0') + 1);
  return fraction.empty() ? whole : whole + "." + fraction;
}

std::int64_t Model::output_tokens_max() const {
  return info == nullptr || info->output_tokens_max == 0 ? kOutputTokensMaxUnknown : info->output_tokens_max;
}

std::int64_t Model::burn_down() const { return info == nullptr ? 1 : info->burn_down; }

const std::optional<job::TokenPrices>& Model::prices_of(std::string_view tier) {
  const auto known = prices.find(tier);
  if (known != prices.end()) return known->second;
  return prices.emplace(std::string(tier), is_resolved ? resolved.prices(tier) : std::nullopt).first->second;
}

bool Model::has_price(std::string_view tier) { return prices_of(tier).has_value(); }

PicoSum Model::cost_pico(const Usage& usage, std::string_view tier) {
  const std::optional<job::TokenPrices>& price = prices_of(tier);
  if (!price) return 0;
  return static_cast<PicoSum>(usage.input) * price->input + static_cast<PicoSum>(usage.output) * price->output +
         static_cast<PicoSum>(usage.cache_read) * price->cache_read +
         static_cast<PicoSum>(usage.cache_write) * price->cache_write +
         static_cast<PicoSum>(usage.cache_write_1h) * price->cache_write_1h;
}

Result<Model*> ModelTable::find(std::string_view id, bool is_openai) {
  const auto known = models_.find(id);
  if (known != models_.end()) return known->second.get();
  if (models_.size() >= kModelsMax)
    return fail(ErrorKind::too_large,
                "plot-palette-sim counts at most 1000 models, and '" + std::string(id) + "' is one more; restart it");
  auto model = std::make_unique<Model>();
  model->id = id;
  model->family = family_of(id);
  for (const std::string& name : names_of(id, is_openai)) {
    // A name that the catalogue cannot place is still answered: it only has no price.
    Result<job::ResolvedModel> resolved = catalogue_.resolve(name, "");
    if (!resolved) continue;
    model->resolved = std::move(*resolved);
    model->info = model->resolved.info;
    model->is_resolved = true;
    model->prices.clear();  // those of the name before
    if (model->has_price("")) break;
  }
  if (model->info != nullptr && model->info->family != job::ModelFamily::other) model->family = model->info->family;
  return models_.emplace(std::string(id), std::move(model)).first->second.get();
}

// What the catalogue may know the model as; the first that has a price is taken.
std::vector<std::string> ModelTable::names_of(std::string_view id, bool is_openai) const {
  std::vector<std::string> names;
  if (is_openai) {
    names.push_back("openai/" + std::string(id));
    for (const auto& endpoint : catalogue_.endpoints()) names.push_back(endpoint->name + "/" + std::string(id));
    return names;
  }
  names.push_back("bedrock/" + std::string(id));
  // A base id that only its profiles may call is answered unless --strict is on, at the price of the first profile.
  for (const auto& info : catalogue_.models()) {
    if (info->id == id && !info->on_demand && !info->profiles.empty())
      names.push_back("bedrock/" + info->profiles.front() + "." + std::string(id));
  }
  return names;
}

void ModelTable::reset_counts() {
  for (const auto& [id, model] : models_) {
    model->counted = {};
    model->quota.clear();
  }
}

}  // namespace palette::sim
