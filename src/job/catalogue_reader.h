// The entries of a catalogue file: the built-in models.yaml and a user's file alike. For catalogue_file.cc only.
//
//   models:                              # what is not said of a known id stays as it is
//     - id: anthropic.claude-haiku-4-5-20251001-v1:0
//       prices: {input: 0.90, output: 4.50}
//   endpoints:
//     - {name: local, url: "http://127.0.0.1:8000/v1", prices: {input: 0, output: 0}}
//   infrastructure: {vcpu_hour: 0.04048}
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "job/catalogue.h"
#include "job/node_reader.h"

namespace palette::job {

// USD per million tokens, or per whatever `units` counts, as pico-dollars of one: exact, or rounded up with `round_up`.
// The amount must be 0 to 100,000 USD. Complains and gives nothing else.
std::optional<std::int64_t> read_price(NodeReader& reader, std::string_view key, std::int64_t units, bool round_up);

// {input, output, cache_read, cache_write, cache_write_1h}, USD per million tokens.
std::optional<TokenPrices> read_token_prices(NodeReader& reader);

// The member `prices` of a model: one such object (scope `geo`), or one for each "<scope>" and "<scope>/<tier>".
std::map<std::string, TokenPrices> read_price_table(NodeReader& reader, Diagnostics& diagnostics);

// What an entry of `models` is read against.
struct ModelSurroundings {
  std::string price_source, price_date;                        // of prices that do not say
  std::function<const ModelInfo*(std::string_view id)> known;  // null for a new id
  std::function<bool(std::string_view id)> of_endpoint;        // does it begin with an endpoint's name and a slash?
};

// An entry of `models`, over what was known of its id.
std::optional<ModelInfo> read_model(NodeReader& reader, Diagnostics& diagnostics,
                                    const ModelSurroundings& surroundings);

std::optional<Endpoint> read_endpoint(NodeReader& reader, Diagnostics& diagnostics);

// Over what is there already.
void read_infrastructure(NodeReader& reader, InfrastructurePrices& prices);

// Reads `date` as YYYY-MM-DD; complains of anything else.
std::optional<std::string> read_date(NodeReader& reader, std::string_view key);

}  // namespace palette::job
