#include "model/metered_model.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include "model/call_bound.h"

namespace palette::model {

struct MeteredModel::Call {
  async::TurnKey key;
  bool has_fallback;
  std::string_view step;  // in the request
  const job::TokenPrices* prices;
  CallBound bound;
  std::int64_t started_ms = 0;
  Admission admission = {};
  CallSlot slot = {};
};

// One frame stands for the whole call, and thousands of them wait: what is needed before and after the wait is in plain
// functions.
async::Task<Result<ModelResult>> MeteredModel::call(std::shared_ptr<ModelRequest> request) {
  Call call = call_of(*request);
  if (const auto failure = co_await begin(&call)) co_return std::unexpected(*failure);
  call.started_ms = parts_.clock->monotonic_ms();
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (state.cancelled() != boost::asio::cancellation_type::none) co_return taken_back(call);
  const std::int64_t asked_ms = request->answer_ms;
  if (asked_ms == 0) request->answer_ms = deadline_.for_call_ms(call.bound.output_tokens);
  ProviderResult result = co_await parts_.provider->ask(request);
  request->answer_ms = asked_ms;  // the next try's may be another
  co_return ended(call, std::move(result));
}

MeteredModel::Call MeteredModel::call_of(const ModelRequest& request) {
  Call call{.key = {request.key.record.value, request.identity.step_position},
            .has_fallback = request.has_fallback,
            .step = request.identity.step,
            .prices = &prices_of(request.options.service_tier),
            .bound = {}};
  call.bound = bound_of(request, output_tokens_max(request.options, parts_.resolved).value_or(0), *call.prices);
  return call;
}

const job::TokenPrices& MeteredModel::prices_of(const std::optional<std::string>& tier) {
  const std::string_view name = tier ? std::string_view(*tier) : std::string_view();
  const auto known = prices_.find(name);
  if (known != prices_.end()) return known->second;
  return prices_.emplace(name, parts_.resolved.prices(name).value_or(job::TokenPrices{})).first->second;
}

// What comes before the call itself; null when all is ready.
async::Task<std::unique_ptr<Error>> MeteredModel::begin(Call* call) {
  // The money comes before the turn: it may be held for older records that wait for a turn, so who waits for money must
  // not hold one.
  if (const Status reserved = co_await parts_.meter->reserve(call->bound.cost, call->key); !reserved)
    co_return std::make_unique<Error>(reserved.error());
  if (const Status entered = co_await enter(call); !entered) {
    parts_.meter->settle(CallBill{.model = parts_.resolved.name, .step = call->step, .reserved = call->bound.cost});
    co_return std::make_unique<Error>(entered.error());
  }
  co_return nullptr;
}

// A model can go away while a call waits for its turn: then it waits for the model again.
async::Task<Status> MeteredModel::enter(Call* call) {
  for (;;) {
    const Result<Admission> admission = co_await parts_.health->admit(call->key, call->has_fallback);
    if (!admission) co_return std::unexpected(admission.error());
    const Result<CallSlot> slot =
        co_await parts_.limiter->enter(call->key, call->bound.input_tokens + call->bound.output_tokens);
    if (!slot) {
      parts_.health->on_nothing(*admission);
      co_return std::unexpected(slot.error());
    }
    call->admission = *admission;
    call->slot = *slot;
    // The last of all: nothing may lie between the look at the gate and the call.
    const bool is_open = parts_.gate == nullptr || parts_.gate->is_open();
    if (is_open && parts_.health->still_admits(*admission)) co_return Status{};
    parts_.limiter->leave(*slot, CallEnd::failed, 0);
    if (is_open) continue;
    parts_.health->on_nothing(*admission);
    if (const Status passed = co_await parts_.gate->pass(call->key); !passed) co_return std::unexpected(passed.error());
  }
}

Result<ModelResult> MeteredModel::taken_back(const Call& call) {
  return ended(call, std::unexpected(ProviderFailure{Error{ErrorKind::cancelled, "the call was cancelled"}}));
}

Result<ModelResult> MeteredModel::ended(const Call& call, ProviderResult&& result) {
  finish(call, result, parts_.clock->monotonic_ms() - call.started_ms);
  const CallBill bill = bill_of(call, result);
  parts_.meter->settle(bill);
  if (!result) return std::unexpected(std::move(result.error().error));
  result->cost = bill.cost;
  result->usage = bill.usage;
  result->model = parts_.resolved.name;
  return std::move(*result);
}

// What a call takes of Bedrock's tokens a minute: cache reads are free, output counts several times on some models.
std::int64_t MeteredModel::quota_tokens(const Usage& usage) const {
  const std::int64_t burn_down = parts_.resolved.info == nullptr ? 1 : parts_.resolved.info->burn_down;
  return usage.input_tokens + usage.cache_write_tokens + usage.output_tokens * burn_down;
}

void MeteredModel::finish(const Call& call, const ProviderResult& result, std::int64_t took_ms) {
  if (result) {
    parts_.health->on_answer();
    deadline_.on_answer(took_ms, parts_.clock->monotonic_ms());
    if (const auto overdue_ms = deadline_.overdue_ms()) parts_.limiter->set_overdue_after(*overdue_ms);
    parts_.limiter->leave(call.slot, CallEnd::answered, quota_tokens(result->usage));
    return;
  }
  const Error& error = result.error().error;
  CallEnd end = CallEnd::failed;
  switch (error.kind) {
    case ErrorKind::throttled:
      end = CallEnd::throttled;
      parts_.health->on_answer();
      break;
    case ErrorKind::timeout:
      deadline_.on_timeout(call.slot.started_ms);
      parts_.health->on_failure(error, call.admission);
      break;
    case ErrorKind::unavailable:
      parts_.health->on_failure(error, call.admission);
      break;
    case ErrorKind::cancelled:
      parts_.health->on_nothing(call.admission);
      break;
    default:  // it answered, though not what we hoped for
      parts_.health->on_answer();
      break;
  }
  const bool may_have_worked = result.error().billed != ProviderFailure::Billed::nothing;
  parts_.limiter->leave(call.slot, end, may_have_worked ? call.slot.tokens : 0);
}

CallBill MeteredModel::bill_of(const Call& call, const ProviderResult& result) const {
  CallBill bill;
  bill.model = parts_.resolved.name;
  bill.step = call.step;
  bill.reserved = call.bound.cost;
  bill.throttled = !result && result.error().error.kind == ErrorKind::throttled;
  const Usage* usage = nullptr;
  if (result) {
    bill.end = CallBill::End::answered;
    if (result->usage_known) usage = &result->usage;
  } else if (result.error().billed == ProviderFailure::Billed::nothing) {
    return bill;
  } else {
    bill.end = CallBill::End::wasted;
    if (result.error().billed == ProviderFailure::Billed::usage) usage = &result.error().usage;
  }
  if (usage != nullptr) {
    bill.usage = *usage;
    bill.cost = cost_of(*usage, *call.prices);
  } else {
    bill.estimated = true;
    bill.usage.input_tokens = call.bound.input_tokens;
    bill.usage.output_tokens = call.bound.output_tokens;
    bill.cost = call.bound.cost;
  }
  return bill;
}

}  // namespace palette::model
