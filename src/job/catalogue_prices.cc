// Prices of a catalogue file, exactly: a price in USD per million tokens with at most 6 decimals is a whole number of
// pico-dollars for one token.
#include <algorithm>
#include <array>

#include "job/catalogue_reader.h"

namespace palette::job {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr Money kPriceMax{100'000'000'000'000'000};  // 100,000 USD

constexpr std::array<std::string_view, 5> kKinds = {"input", "output", "cache_read", "cache_write", "cache_write_1h"};
constexpr std::array<std::string_view, 10> kScopes = {"geo", "global", "elsewhere", "us", "us-gov",
                                                      "ca",  "eu",     "apac",      "jp", "au"};
constexpr std::array<std::string_view, 3> kTiers = {"flex", "priority", "batch"};

bool is_kind(std::string_view key) { return std::find(kKinds.begin(), kKinds.end(), key) != kKinds.end(); }

std::vector<std::string> price_keys() {
  std::vector<std::string> out(kScopes.begin(), kScopes.end());
  for (const std::string_view scope : kScopes) {
    for (const std::string_view tier : kTiers) out.push_back(std::string(scope) + "/" + std::string(tier));
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> read_price(NodeReader& reader, std::string_view key, std::int64_t units, bool round_up) {
  const Node* node = reader.any(key);
  if (node == nullptr) return std::nullopt;
  const bool numeric = node->kind == Node::Kind::integer || node->kind == Node::Kind::number;
  const Result<Money> money =
      numeric ? Money::from_decimal(node->text) : Result<Money>(fail(ErrorKind::bad_input, "not a number"));
  if (!money || *money < Money{} || *money > kPriceMax) {
    const std::string hint = node->kind == Node::Kind::string ? " (write it without quotes or signs)" : "";
    reader.complain(key, *node, "found " + node->describe() + "; US dollars of 0 to 100000 are allowed" + hint);
    return std::nullopt;
  }
  const std::int64_t rest = money->pico % units;
  if (rest != 0 && !round_up) {
    reader.complain(key, *node,
                    "found " + node->describe() +
                        "; at most 6 decimals are allowed, so that a token costs a whole number of pico-dollars");
    return std::nullopt;
  }
  return money->pico / units + (rest != 0 ? 1 : 0);
}

std::optional<TokenPrices> read_token_prices(NodeReader& reader) {
  if (!reader.is_object_of(kKinds)) return std::nullopt;
  for (const std::string_view key : {"input", "output"}) {
    if (reader.any(key) == nullptr) reader.complain_missing(key, "USD per million tokens, e.g. 0.25; 0 if it is free");
  }
  const auto price = [&](std::string_view key) { return read_price(reader, key, kMillion, false); };
  const auto input = price("input"), output = price("output");
  const auto cache_read = price("cache_read"), cache_write = price("cache_write"), hour = price("cache_write_1h");
  if (!input || !output) return std::nullopt;
  TokenPrices out;
  out.input = *input;
  out.output = *output;
  out.cache_read = cache_read.value_or(*input);
  out.cache_write = cache_write.value_or(*input);
  out.cache_write_1h = hour.value_or(std::max(*input, out.cache_write));
  return out;
}

std::map<std::string, TokenPrices> read_price_table(NodeReader& reader, Diagnostics& diagnostics) {
  std::map<std::string, TokenPrices> out;
  const Node* node = reader.any("prices");
  if (node == nullptr) return out;
  NodeReader table(reader.file(), *node, reader.path("prices"), diagnostics);
  const bool flat =
      std::any_of(node->members.begin(), node->members.end(), [](const Member& member) { return is_kind(member.key); });
  if (flat || node->kind != Node::Kind::map || node->members.empty()) {
    if (const auto prices = read_token_prices(table)) out["geo"] = *prices;
    return out;
  }
  const std::vector<std::string> keys = price_keys();
  const std::vector<std::string_view> known(keys.begin(), keys.end());
  table.is_object_of(known);
  for (const Member& member : node->members) {
    if (std::find(known.begin(), known.end(), member.key) == known.end()) continue;  // told above
    NodeReader scope(reader.file(), member.value, table.path(member.key), diagnostics);
    if (const auto prices = read_token_prices(scope)) out[member.key] = *prices;
  }
  return out;
}

void read_infrastructure(NodeReader& reader, InfrastructurePrices& prices) {
  constexpr std::array<std::string_view, 8> kKeys = {"vcpu_hour",
                                                     "gb_hour",
                                                     "s3_put_per_1000",
                                                     "s3_get_per_1000",
                                                     "dynamodb_write_per_million",
                                                     "dynamodb_read_per_million",
                                                     "source",
                                                     "date"};
  if (!reader.is_object_of(kKeys)) return;
  constexpr std::int64_t kHour_s = 3600;
  const auto set = [&](std::string_view key, std::int64_t units, std::int64_t& to) {
    to = read_price(reader, key, units, true).value_or(to);
  };
  set("vcpu_hour", kHour_s, prices.vcpu_second);
  set("gb_hour", kHour_s, prices.gb_second);
  set("s3_put_per_1000", 1000, prices.s3_put);
  set("s3_get_per_1000", 1000, prices.s3_get);
  set("dynamodb_write_per_million", kMillion, prices.dynamodb_write_unit);
  set("dynamodb_read_per_million", kMillion, prices.dynamodb_read_unit);
  prices.source = reader.string("source", 500).value_or(reader.file());
  prices.date = read_date(reader, "date").value_or("");
}

}  // namespace palette::job
