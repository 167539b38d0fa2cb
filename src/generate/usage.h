// What calls used and cost, added up by model and by step; and the text forms of it in objects and tables.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "model/model.h"

namespace palette::generate {

struct ModelUsage {
  std::int64_t calls = 0;
  model::Usage usage;
  Money cost;

  void add(const model::Usage& more, Money more_cost) {
    ++calls;
    usage += more;
    cost += more_cost;
  }
  ModelUsage& operator+=(const ModelUsage& other);
  ModelUsage& operator-=(const ModelUsage& other);
  std::int64_t tokens() const { return usage.total(); }
  bool operator==(const ModelUsage&) const = default;
};

using UsageByModel = std::map<std::string, ModelUsage>;
using UsageByStep = std::map<std::string, ModelUsage>;

ModelUsage total_of(const std::map<std::string, ModelUsage>& usage);
std::map<std::string, ModelUsage>& operator+=(std::map<std::string, ModelUsage>& mine,
                                              const std::map<std::string, ModelUsage>& more);

// The same calls, seen twice.
struct Spending {
  UsageByModel models;
  UsageByStep steps;

  void add(const std::string& model, const std::string& step, const model::Usage& usage, Money cost);
  Spending& operator+=(const Spending& other);
  Spending& operator-=(const Spending& other);
  Money cost() const { return total_of(models).cost; }
};

// {"<name>":{"calls","input_tokens","output_tokens"[,"cache_read_tokens"][,"cache_write_tokens"],"cost_usd"}}
JsonObject usage_to_json(const std::map<std::string, ModelUsage>& usage);
Result<std::map<std::string, ModelUsage>> usage_from_json(const JsonObject& object);

// {"input_tokens":…,"output_tokens":…} and what of the cache is not zero.
void append_tokens(std::string& out, const model::Usage& usage);
Result<model::Usage> tokens_from_json(const JsonObject& object);

}  // namespace palette::generate
