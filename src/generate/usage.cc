#include "generate/usage.h"

namespace palette::generate {
namespace {

struct TokenField {
  std::string_view key;
  std::int64_t model::Usage::* tokens;
  bool always;
};

constexpr TokenField kTokenFields[] = {{"input_tokens", &model::Usage::input_tokens, true},
                                       {"output_tokens", &model::Usage::output_tokens, true},
                                       {"cache_read_tokens", &model::Usage::cache_read_tokens, false},
                                       {"cache_write_tokens", &model::Usage::cache_write_tokens, false}};

}  // namespace

ModelUsage& ModelUsage::operator+=(const ModelUsage& other) {
  calls += other.calls;
  usage += other.usage;
  cost += other.cost;
  return *this;
}

ModelUsage& ModelUsage::operator-=(const ModelUsage& other) {
  calls -= other.calls;
  usage -= other.usage;
  cost -= other.cost;
  return *this;
}

ModelUsage total_of(const std::map<std::string, ModelUsage>& usage) {
  ModelUsage total;
  for (const auto& [name, used] : usage) total += used;
  return total;
}

std::map<std::string, ModelUsage>& operator+=(std::map<std::string, ModelUsage>& mine,
                                              const std::map<std::string, ModelUsage>& more) {
  for (const auto& [name, used] : more) mine[name] += used;
  return mine;
}

void Spending::add(const std::string& model, const std::string& step, const model::Usage& usage, Money cost) {
  models[model].add(usage, cost);
  steps[step].add(usage, cost);
}

Spending& Spending::operator+=(const Spending& other) {
  models += other.models;
  steps += other.steps;
  return *this;
}

Spending& Spending::operator-=(const Spending& other) {
  for (const auto& [model, used] : other.models) models[model] -= used;
  for (const auto& [step, used] : other.steps) steps[step] -= used;
  return *this;
}

JsonObject usage_to_json(const std::map<std::string, ModelUsage>& usage) {
  JsonObject out;
  for (const auto& [name, used] : usage) {
    JsonObject figures;
    figures["calls"] = used.calls;
    for (const TokenField& field : kTokenFields) {
      if (field.always || used.usage.*field.tokens != 0) figures[field.key] = used.usage.*field.tokens;
    }
    figures["cost_usd"] = used.cost.to_decimal();
    out[name] = std::move(figures);
  }
  return out;
}

Result<std::map<std::string, ModelUsage>> usage_from_json(const JsonObject& object) {
  std::map<std::string, ModelUsage> out;
  for (const auto& member : object) {
    const JsonObject* figures = member.value().if_object();
    if (figures == nullptr) return fail(ErrorKind::corrupt, "the usage of a model is not an object");
    const auto calls = json_int(*figures, "calls");
    const auto cost = json_string(*figures, "cost_usd");
    const Result<model::Usage> tokens = tokens_from_json(*figures);
    if (!calls || !tokens || !cost) return fail(ErrorKind::corrupt, "the usage of a model lacks a figure");
    const Result<Money> money = Money::from_decimal(*cost);
    if (!money) return fail(ErrorKind::corrupt, money.error().message);
    out[std::string(member.key())] = ModelUsage{*calls, *tokens, *money};
  }
  return out;
}

void append_tokens(std::string& out, const model::Usage& usage) {
  char separator = '{';
  for (const TokenField& field : kTokenFields) {
    const std::int64_t tokens = usage.*field.tokens;
    if (!field.always && tokens == 0) continue;
    out += separator;
    out += '"';
    out += field.key;
    out += "\":";
    append_integer(out, tokens);
    separator = ',';
  }
  out += '}';
}

Result<model::Usage> tokens_from_json(const JsonObject& object) {
  model::Usage usage;
  for (const TokenField& field : kTokenFields) {
    if (!field.always && !object.contains(field.key)) continue;
    const auto tokens = json_int(object, field.key);
    if (!tokens) return std::unexpected(tokens.error());
    usage.*field.tokens = *tokens;
  }
  return usage;
}

}  // namespace palette::generate
