#include "fault.h"

#include <charconv>
#include <numeric>

namespace palette::proxy {
namespace {

constexpr std::array<std::string_view, kFaults> kNames = {"500",      "500_after",   "503",        "throttle",
                                                          "conflict", "in_progress", "cut_before", "cut_after",
                                                          "half",     "slow",        "hang"};

bool matches(const FaultScript& script, const http::ServerRequest& request, const Operation& operation) {
  return (script.operation.empty() || script.operation == operation.name) && can_befall(script.fault, operation) &&
         is_about(request, operation, script.key);
}

}  // namespace

std::string_view to_string(Fault fault) { return kNames[static_cast<std::size_t>(fault)]; }

Result<Fault> parse_fault(std::string_view text) {
  std::string known;
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (kNames[i] == text) return static_cast<Fault>(i);
    known += (i == 0 ? "" : ", ") + std::string(kNames[i]);
  }
  return fail(ErrorKind::bad_input, "fault '" + std::string(text) + "' is not known; known are " + known);
}

bool asks_upstream(Fault fault) {
  switch (fault) {
    case Fault::error_500_after:
    case Fault::cut_after:
    case Fault::half:
    case Fault::slow:
    case Fault::hang:
      return true;
    case Fault::error_500:
    case Fault::error_503:
    case Fault::throttle:
    case Fault::conflict:
    case Fault::in_progress:
    case Fault::cut_before:
      return false;
  }
  return false;
}

bool can_befall(Fault fault, const Operation& operation) {
  if (fault == Fault::conflict)
    return operation.is_conditional || operation.is_transaction() || operation.is_plain_write();
  return fault != Fault::in_progress || operation.name == "TransactWriteItems";
}

Status FaultRates::set(Fault fault, double rate) {
  constexpr double kRounding = 1e-9;  // ten times 0.1 is a little more than 1
  double& own = rates_[static_cast<std::size_t>(fault)];
  if (!(rate >= 0 && rate <= 1))
    return fail(ErrorKind::bad_input, "the rate of " + std::string(to_string(fault)) + " must be between 0 and 1");
  if (std::accumulate(rates_.begin(), rates_.end(), rate - own) > 1 + kRounding)
    return fail(ErrorKind::bad_input, "the rates of all faults together must not be above 1");
  own = rate;
  return {};
}

std::optional<Fault> FaultRates::at(double share) const {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (share < rates_[i]) return static_cast<Fault>(i);
    share -= rates_[i];
  }
  return std::nullopt;
}

Status parse_fault_rate(std::string_view text, FaultRates& rates) {
  const std::size_t equals = text.find('=');
  double rate = 0;
  const std::string_view number = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rate);
  if (number.empty() || error != std::errc() || end != number.data() + number.size())
    return fail(ErrorKind::bad_input,
                "--fault wants KIND=RATE, such as throttle=0.1, and found '" + std::string(text) + "'");
  const Result<Fault> fault = parse_fault(text.substr(0, equals));
  if (!fault) return std::unexpected(fault.error());
  return rates.set(*fault, rate);
}

Status FaultScripts::add(FaultScript script) {
  if (scripts_.size() >= kScriptsMax)
    return fail(ErrorKind::too_large, "more than 10000 scripted faults wait; reset them first (POST /_proxy/reset)");
  scripts_.push_back(std::move(script));
  return {};
}

std::optional<Fault> FaultScripts::next(const http::ServerRequest& request, const Operation& operation) {
  std::optional<Fault> said;
  for (auto script = scripts_.begin(); script != scripts_.end();) {
    const bool is_meant = matches(*script, request, operation);
    if (is_meant && script->after > 0) {
      --script->after;
    } else if (is_meant && !said) {
      said = script->fault;
      --script->count;
    }
    script = script->count <= 0 ? scripts_.erase(script) : std::next(script);
  }
  return said;
}

}  // namespace palette::proxy
