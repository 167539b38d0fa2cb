#include "counts.h"

#include <algorithm>

#include "base/json.h"

namespace palette::proxy {
namespace {

std::string_view between(std::string_view text, std::string_view before, char after) {
  const std::size_t start = text.find(before);
  if (start == std::string_view::npos) return "";
  text.remove_prefix(start + before.size());
  return text.substr(0, text.find(after));
}

// "ConditionalCheckFailedException", "NoSuchKey"; the status where the answer names nothing (one to HEAD, say).
std::string error_name(const http::Response& response) {
  std::string_view name = between(response.body, "<Code>", '<');
  if (name.empty()) name = between(response.body, R"("__type":")", '"');
  name = name.substr(name.rfind('#') + 1);  // without one: the whole, as npos + 1 is 0
  return name.empty() ? std::to_string(response.status) : std::string(name);
}

}  // namespace

void Counts::add(ByName& counts, const std::string& name, std::int64_t more) {
  const bool has_room = counts.size() < kNamesMax || counts.contains(name);
  counts[has_room ? name : "other"] += more;
}

void Counts::request(const Operation& operation, std::optional<Fault> fault, std::size_t body_bytes) {
  ++requests_;
  if (fault) ++faults_[static_cast<std::size_t>(*fault)];
  if (fault && !asks_upstream(*fault)) {
    add(refused_by_operation_, operation.name, 1);
    return;
  }
  add(by_operation_, operation.name, 1);
  add(bytes_in_, operation.name, static_cast<std::int64_t>(body_bytes));
}

void Counts::answer(const Operation& operation, const http::Response& response) {
  if (response.status / 100 == 2) {
    add(bytes_out_, operation.name, static_cast<std::int64_t>(response.body.size()));
    return;
  }
  if (response.status < 400) return;
  add(errors_, error_name(response), 1);
  // Of a plain write, or among a transaction's reasons.
  if (operation.service == Service::dynamodb && response.body.find("TransactionConflict") != std::string::npos)
    ++transaction_conflicts_;
}

void Counts::enter() {
  ++in_flight_;
  in_flight_max_ = std::max(in_flight_max_, in_flight_);
}

void Counts::reset() {
  const std::int64_t in_flight = in_flight_;
  *this = {};
  in_flight_ = in_flight_max_ = in_flight;
}

std::string Counts::to_json() const {
  const auto object = [](const ByName& counts) {
    JsonObject out;
    for (const auto& [name, count] : counts) out[name] = count;
    return out;
  };
  JsonObject faults;
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (faults_[i] > 0) faults[to_string(static_cast<Fault>(i))] = faults_[i];
  }
  if (outages_ > 0) faults["outage"] = outages_;
  return to_json_text(JsonObject{{"requests", requests_},
                                 {"by_op", object(by_operation_)},
                                 {"refused_by_op", object(refused_by_operation_)},
                                 {"bytes_in", object(bytes_in_)},
                                 {"bytes_out", object(bytes_out_)},
                                 {"errors", object(errors_)},
                                 {"faults", std::move(faults)},
                                 {"transaction_conflicts", transaction_conflicts_},
                                 {"upstream_failures", upstream_failures_},
                                 {"in_flight", in_flight_},
                                 {"in_flight_max", in_flight_max_}});
}

}  // namespace palette::proxy
