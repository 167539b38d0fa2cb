// What the tests of metered calls share: a provider that does as it is told, and a meter that writes down what it
// hears.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/timer.h"
#include "model/provider.h"
#include "model/spend_meter.h"

namespace palette::model {

inline constexpr std::int64_t kHour_ms = 3'600'000;

// A bill with texts of its own.
struct WrittenBill {
  std::string model, step;
  Money reserved;
  CallBill::End end = CallBill::End::free;
  Usage usage;
  Money cost;
  bool estimated = false;
};

class RecordingMeter final : public SpendMeter {
 public:
  async::Task<Status> reserve(Money bound, async::TurnKey key) override {
    asked.push_back(key);
    if (waits) (void)co_await async::sleep_for(kHour_ms);
    if (waits) co_return fail(ErrorKind::cancelled, "the wait was cancelled");
    if (is_over) co_return fail(ErrorKind::over_budget, "the next call does not fit");
    reserved += bound;
    ++open;
    co_return Status{};
  }
  void settle(const CallBill& bill) override {
    reserved -= bill.reserved;
    --open;
    bills.push_back({std::string(bill.model), std::string(bill.step), bill.reserved, bill.end, bill.usage, bill.cost,
                     bill.estimated});
  }

  bool waits = false;    // every reservation waits until it is cancelled
  bool is_over = false;  // every reservation is refused
  std::vector<async::TurnKey> asked;
  std::vector<WrittenBill> bills;
  Money reserved;  // now
  int open = 0;    // calls that are not settled
};

class ScriptedProvider final : public Provider {
 public:
  const std::string& name() const override { return name_; }
  async::Task<ProviderResult> ask(std::shared_ptr<ModelRequest> request) override {
    asked.push_back(*request);
    if (before_answer) before_answer();
    if (slow_ms > 0) (void)co_await async::sleep_for(slow_ms);
    if (hangs) {
      (void)co_await async::sleep_for(kHour_ms);
      co_return std::unexpected(
          ProviderFailure{Error{ErrorKind::cancelled, "taken back"}, ProviderFailure::Billed::unknown});
    }
    ProviderResult answer = script.front();
    if (script.size() > 1) script.pop_front();
    co_return answer;
  }

  std::int64_t slow_ms = 0;  // 1: by a turn of the loop
  bool hangs = false;        // until it is cancelled, after the request was sent
  std::function<void()> before_answer;
  std::deque<ProviderResult> script;  // the last goes on for ever
  std::vector<ModelRequest> asked;

 private:
  std::string name_ = "openai/gpt";
};

inline ProviderResult answer_of(Usage usage, bool usage_known = true) {
  ModelResult result;
  result.text = "answer";
  result.usage = usage;
  result.usage_known = usage_known;
  return result;
}

inline ProviderResult failure_of(ErrorKind kind, ProviderFailure::Billed billed = ProviderFailure::Billed::nothing,
                                 Usage usage = {}) {
  return std::unexpected(ProviderFailure{Error{kind, "it failed"}, billed, usage});
}

}  // namespace palette::model
