#include "statistics.h"

#include <algorithm>

#include "base/json.h"

namespace palette::sim {
namespace {

std::string_view outcome_name(const CallEnd& end) {
  switch (end.outcome) {
    case Outcome::answered:
      return "answered";
    case Outcome::faulted:
      return end.fault ? to_string(*end.fault) : "faulted";
    case Outcome::client_left:
      return "client_left";
    case Outcome::rejected:
      return "rejected";
    case Outcome::refused:
      return "refused";
  }
  return "";
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
  out += value;
}

void append_member(std::string& out, std::string_view name, std::int64_t value) {
  append_member(out, name, std::string_view(std::to_string(value)));
}

}  // namespace

void Statistics::begin() {
  ++calls_;
  in_flight_max_ = std::max(in_flight_max_, ++in_flight_);
}

void Statistics::count(const CallEnd& end) {
  switch (end.outcome) {
    case Outcome::answered:
      ++answered_;
      if (!end.identity.empty() && !answered_identities_.insert(hash_text(0, end.identity)).second) ++paid_twice_;
      count_billed(end);
      break;
    case Outcome::faulted:
      if (end.fault) ++faults_[static_cast<std::size_t>(*end.fault)];
      if (end.fault && is_billed(*end.fault)) count_billed(end);
      break;
    case Outcome::client_left:
      ++client_left_;
      count_billed(end);
      break;
    case Outcome::rejected:
      ++rejected_;
      break;
    case Outcome::refused:
      ++refused_signatures_;
      break;
  }
  keep(end);
}

void Statistics::count_billed(const CallEnd& end) {
  if (end.model == nullptr) return;
  const PicoSum cost = end.model->cost_pico(end.usage, end.service_tier);
  const bool answered = end.outcome == Outcome::answered;
  Counted& counted = end.model->counted;
  ++counted.calls;
  counted.input += end.usage.input;
  counted.output += end.usage.output;
  counted.cache_read += end.usage.cache_read;
  counted.cache_write += end.usage.cache_write + end.usage.cache_write_1h;
  counted.cost_pico += cost;
  if (answered) counted.cost_answered_pico += cost;
  if (!answered) ++billed_unanswered_;
  (answered ? cost_answered_pico_ : cost_unanswered_pico_) += cost;
}

void Statistics::keep(const CallEnd& end) {
  Kept kept{end.identity, end.model, outcome_name(end)};
  if (kept_.size() < kCallsKept)
    kept_.push_back(std::move(kept));
  else
    kept_[ended_ % kCallsKept] = std::move(kept);
  ++ended_;
}

void Statistics::reset() {
  const std::int64_t in_flight = in_flight_;
  *this = Statistics();
  in_flight_ = in_flight_max_ = in_flight;
}

std::string Statistics::models_json(const ModelTable& models) const {
  std::string out = "{";
  for (const auto& [id, model] : models.all()) {
    const Counted& counted = model->counted;
    if (counted.calls == 0) continue;
    std::string one = "{";
    append_member(one, "calls", counted.calls);
    append_member(one, "input_tokens", counted.input);
    append_member(one, "output_tokens", counted.output);
    append_member(one, "cache_read_input_tokens", counted.cache_read);
    append_member(one, "cache_write_input_tokens", counted.cache_write);
    append_member(one, "cost_usd", to_decimal(counted.cost_pico));
    append_member(one, "cost_answered_usd", to_decimal(counted.cost_answered_pico));
    append_member(one, "priced", std::string_view(model->has_price("") ? "true" : "false"));
    append_member(out, id, std::string_view(one += '}'));
  }
  return out += '}';
}

std::string Statistics::to_json(const ModelTable& models) const {
  std::string faults = "{";
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (faults_[i] > 0) append_member(faults, to_string(static_cast<Fault>(i)), faults_[i]);
  }
  faults += '}';
  std::string out = "{";
  append_member(out, "calls", calls_);
  append_member(out, "answered", answered_);
  append_member(out, "paid_twice", paid_twice_);
  append_member(out, "faults", std::string_view(faults));
  append_member(out, "billed_unanswered", billed_unanswered_);
  append_member(out, "models", std::string_view(models_json(models)));
  append_member(out, "in_flight_max", in_flight_max_);
  append_member(out, "in_flight", in_flight_);
  append_member(out, "cost_usd", to_decimal(cost_answered_pico_ + cost_unanswered_pico_));
  append_member(out, "cost_answered_usd", to_decimal(cost_answered_pico_));
  append_member(out, "cost_unanswered_usd", to_decimal(cost_unanswered_pico_));
  append_member(out, "client_left", client_left_);
  append_member(out, "rejected", rejected_);
  append_member(out, "refused_signatures", refused_signatures_);
  append_member(out, "count_tokens", token_counts_);
  return out += '}';
}

std::string Statistics::calls_json(std::uint64_t since) const {
  const std::uint64_t first = std::max<std::uint64_t>(since, ended_ - kept_.size());
  std::string out = R"({"calls":[)";
  for (std::uint64_t number = first; number < ended_; ++number) {
    const Kept& kept = kept_[number % kCallsKept];
    out += number == first ? "{" : ",{";
    append_member(out, "number", static_cast<std::int64_t>(number + 1));
    for (const auto& [name, text] :
         {std::pair{"identity", std::string_view(kept.identity)},
          std::pair{"model", kept.model == nullptr ? std::string_view() : std::string_view(kept.model->id)},
          std::pair{"outcome", kept.outcome}}) {
      std::string quoted;
      append_json_string(quoted, text);
      append_member(out, name, std::string_view(quoted));
    }
    out += '}';
  }
  return out + R"(],"last":)" + std::to_string(ended_) + "}";
}

}  // namespace palette::sim
