#include "behaviour.h"

#include <vector>

namespace palette::proxy {
namespace {

struct WaitMember {
  std::string_view name;
  std::int64_t& target;
};

std::array<WaitMember, 3> wait_members(Behaviour& behaviour) {
  return {{{"latency_ms", behaviour.latency_ms}, {"jitter_ms", behaviour.jitter_ms}, {"slow_ms", behaviour.slow_ms}}};
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
  for (const WaitMember& member : wait_members(behaviour)) {
    if (member.name != name) continue;
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > kWaitMax_ms)
      return wrong(name, "a whole number from 0 to " + std::to_string(kWaitMax_ms));
    member.target = value.get_int64();
    return {};
  }
  if (name == "outage") {
    if (!value.is_bool()) return wrong(name, "true or false");
    behaviour.outage = value.get_bool();
    return {};
  }
  if (name == "faults") return set_rates(value, behaviour.rates);
  return fail(ErrorKind::bad_input,
              "'" + std::string(name) + "' is not known; known are latency_ms, jitter_ms, slow_ms, outage and faults");
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
    } else if (name == "op" && member.is_string()) {
      script.operation = std::string(member.get_string());
    } else if (name == "key" && member.is_string()) {
      script.key = std::string(member.get_string());
    } else {
      return fail(ErrorKind::bad_input,
                  "'" + std::string(name) +
                      "' of a scripted fault is wrong or not known; known are kind, count (from 1), after (from 0), op "
                      "and key");
    }
  }
  if (!has_kind) return fail(ErrorKind::bad_input, "a scripted fault needs a 'kind'");
  return script;
}

}  // namespace

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
  for (const WaitMember& member : wait_members(copy)) out[member.name] = member.target;
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
    return fail(ErrorKind::bad_input, "expected {\"faults\": [{\"kind\": \"cut_after\", \"count\": 3, …}, …]}");
  FaultScripts fresh = scripts;
  for (const Json& item : list->get_array()) {
    Result<FaultScript> script = read_script(item);
    if (!script) return std::unexpected(script.error());
    if (Status added = fresh.add(std::move(*script)); !added) return added;
  }
  scripts = std::move(fresh);
  return {};
}

}  // namespace palette::proxy
