#include "settings.h"

#include <charconv>

namespace palette::sim {
namespace {

constexpr std::int64_t kWaitMost_ms = 24 * 3'600'000;
constexpr std::int64_t kCountMost = 1'000'000'000'000;

struct CountMember {
  std::string_view name;
  std::int64_t& target;
  std::int64_t most;
};

// The whole numbers among the members of a configuration.
std::array<CountMember, 9> count_members(Behaviour& behaviour) {
  return {{{"latency_ms", behaviour.latency_ms, kWaitMost_ms},
           {"jitter_ms", behaviour.jitter_ms, kWaitMost_ms},
           {"slow_start_ms", behaviour.slow_start_ms, kWaitMost_ms},
           {"slow_start_calls", behaviour.slow_start_calls, kCountMost},
           {"rpm", behaviour.limits.rpm, kCountMost},
           {"tpm", behaviour.limits.tpm, kCountMost},
           {"answer_words", behaviour.answer_words, 1'000'000},
           {"cache_min_tokens", behaviour.cache_tokens_min, kCountMost},
           {"latency_tail_ms", behaviour.tail_ms, kWaitMost_ms}}};
}

std::unexpected<Error> wrong(std::string_view name, std::string_view expected) {
  return fail(ErrorKind::bad_input, "'" + std::string(name) + "' must be " + std::string(expected));
}

Status set_rates(const Json& value, FaultRates& rates) {
  if (!value.is_object()) return wrong("faults", "an object of rates, such as {\"throttle\": 0.1}");
  FaultRates fresh;
  for (const auto& [name, rate] : value.get_object()) {
    const Result<Fault> fault = parse_fault(name);
    if (!fault) return std::unexpected(fault.error());
    if (!rate.is_number()) return wrong("faults." + std::string(name), "a number between 0 and 1");
    if (Status set = fresh.set(*fault, rate.to_number<double>()); !set) return set;
  }
  rates = fresh;
  return {};
}

Status set_member(std::string_view name, const Json& value, Behaviour& behaviour) {
  for (const CountMember& member : count_members(behaviour)) {
    if (member.name != name) continue;
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > member.most)
      return wrong(name, "a whole number from 0 to " + std::to_string(member.most));
    member.target = value.get_int64();
    return {};
  }
  if (name == "outage") {
    if (!value.is_bool()) return wrong(name, "true or false");
    behaviour.outage = value.get_bool();
    return {};
  }
  if (name == "latency_tail_share") {
    const double share = value.is_number() ? value.to_number<double>() : -1;
    if (!(share >= 0 && share <= 1)) return wrong(name, "a number between 0 and 1");
    behaviour.tail_share = share;
    return {};
  }
  if (name == "faults") return set_rates(value, behaviour.rates);
  return fail(ErrorKind::bad_input, "'" + std::string(name) +
                                        "' is not known; known are latency_ms, jitter_ms, latency_tail_share, "
                                        "latency_tail_ms, slow_start_ms, slow_start_calls, rpm, tpm, answer_words, "
                                        "cache_min_tokens, outage and faults");
}

Result<FaultScript> read_script(const Json& value) {
  if (!value.is_object()) return wrong("faults", "a list of objects");
  FaultScript script;
  bool has_kind = false;
  for (const auto& [name, member] : value.get_object()) {
    if (name == "kind" && member.is_string()) {
      const Result<Fault> fault = parse_fault(member.get_string());
      if (!fault) return std::unexpected(fault.error());
      script.fault = *fault;
      has_kind = true;
    } else if (name == "count" && member.is_int64() && member.get_int64() > 0) {
      script.count = member.get_int64();
    } else if (name == "after" && member.is_int64() && member.get_int64() >= 0) {
      script.after = member.get_int64();
    } else if (name == "model" && member.is_string()) {
      script.model = std::string(member.get_string());
    } else if (name == "identity" && member.is_string()) {
      script.identity = std::string(member.get_string());
    } else {
      return fail(ErrorKind::bad_input, "'" + std::string(name) +
                                            "' of a scripted fault is wrong or not known; known are kind, count (from "
                                            "1), after (from 0), model and identity");
    }
  }
  if (!has_kind) return fail(ErrorKind::bad_input, "a scripted fault needs a 'kind'");
  return script;
}

}  // namespace

Result<aws::SigningCredentials> parse_credentials(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const std::size_t second = rest.find(':');
  aws::SigningCredentials out{std::string(text.substr(0, colon)), std::string(rest.substr(0, second)),
                              second == std::string_view::npos ? "" : std::string(rest.substr(second + 1))};
  if (out.access_key_id.empty() || out.secret_access_key.empty())
    return fail(ErrorKind::bad_input, "--credentials wants KEY:SECRET or KEY:SECRET:SESSION_TOKEN");
  return out;
}

Status parse_latency_tail(std::string_view text, Behaviour& behaviour) {
  const char* const end = text.data() + text.size();
  double share = 0;
  std::int64_t tail_ms = 0;
  const auto first = std::from_chars(text.data(), end, share);
  const bool has_both = first.ec == std::errc() && first.ptr != end && *first.ptr == ':';
  const auto second = std::from_chars(has_both ? first.ptr + 1 : end, end, tail_ms);
  if (!has_both || second.ec != std::errc() || second.ptr != end || !(share >= 0 && share <= 1) || tail_ms < 0)
    return fail(ErrorKind::bad_input,
                "--latency-tail wants SHARE:MS, such as 0.05:2000, and found '" + std::string(text) + "'");
  behaviour.tail_share = share;
  behaviour.tail_ms = tail_ms;
  return {};
}

Status apply_config(const JsonObject& config, Behaviour& behaviour) {
  Behaviour fresh = behaviour;
  for (const auto& [name, value] : config) {
    if (Status set = set_member(name, value, fresh); !set) return set;
  }
  behaviour = fresh;
  return {};
}

std::string config_json(const Behaviour& behaviour) {
  Behaviour copy = behaviour;
  JsonObject out;
  for (const CountMember& member : count_members(copy)) out[member.name] = member.target;
  out["latency_tail_share"] = copy.tail_share;
  out["outage"] = copy.outage;
  JsonObject rates;
  for (std::size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    if (copy.rates.rate(fault) > 0) rates[to_string(fault)] = copy.rates.rate(fault);
  }
  out["faults"] = std::move(rates);
  return to_json_text(Json(std::move(out)));
}

Status add_scripts(const JsonObject& body, FaultScripts& scripts) {
  const Json* list = body.if_contains("faults");
  if (list == nullptr || !list->is_array() || body.size() != 1)
    return fail(ErrorKind::bad_input, "expected {\"faults\": [{\"kind\": \"hang\", \"count\": 3, …}, …]}");
  std::vector<FaultScript> read;
  for (const Json& item : list->get_array()) {
    Result<FaultScript> script = read_script(item);
    if (!script) return std::unexpected(script.error());
    read.push_back(std::move(*script));
  }
  FaultScripts fresh = scripts;
  for (FaultScript& script : read) {
    if (Status added = fresh.add(std::move(script)); !added) return added;
  }
  scripts = std::move(fresh);
  return {};
}

}  // namespace palette::sim
