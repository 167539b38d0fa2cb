#include "model/metered_model.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include "model/call_bound.h"

namespace palette::model {

struct MeteredModel::Call {
  std::string step;
  job::TokenPrices prices;
  CallBound bound;
  Admission admission;
  CallSlot slot;
};

async::Task<Result<ModelResult>> MeteredModel::call(ModelRequest request) {
  const async::TurnKey key{request.key.record.value, request.identity.step_position};
  Call call;
  call.step = request.identity.step;
  call.prices = parts_.resolved.prices(request.options.service_tier.value_or("")).value_or(job::TokenPrices{});
  const std::int64_t output_tokens = output_tokens_max(request.options, parts_.resolved).value_or(0);
  call.bound = bound_of(request, output_tokens, call.prices);

  if (const Status entered = co_await enter(key, request.has_fallback, &call); !entered)
    co_return std::unexpected(entered.error());
  // The turn comes before the money: what waits for a turn holds no budget.
  if (const Status reserved = co_await parts_.meter->reserve(call.bound.cost, key); !reserved) {
    parts_.health->on_nothing(call.admission);
    parts_.limiter->leave(call.slot, CallEnd::failed, 0);
    co_return std::unexpected(reserved.error());
  }
  co_return co_await ask(std::move(request), &call);
}

// A model can go away while a call waits for its turn: then it waits for the model again.
async::Task<Status> MeteredModel::enter(async::TurnKey key, bool has_fallback, Call* call) {
  for (;;) {
    const Result<Admission> admission = co_await parts_.health->admit(key, has_fallback);
    if (!admission) co_return std::unexpected(admission.error());
    const Result<CallSlot> slot =
        co_await parts_.limiter->enter(key, call->bound.input_tokens + call->bound.output_tokens);
    if (!slot) {
      parts_.health->on_nothing(*admission);
      co_return std::unexpected(slot.error());
    }
    call->admission = *admission;
    call->slot = *slot;
    if (parts_.health->still_admits(*admission)) co_return Status{};
    parts_.limiter->leave(*slot, CallEnd::failed, 0);
  }
}

async::Task<Result<ModelResult>> MeteredModel::ask(ModelRequest request, Call* call) {
  const std::int64_t started_ms = parts_.clock->monotonic_ms();
  if (request.answer_ms == 0) request.answer_ms = deadline_.for_call_ms(call->bound.output_tokens);
  ProviderResult result = std::unexpected(ProviderFailure{Error{ErrorKind::cancelled, "the call was cancelled"}});
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  const bool cancelled = state.cancelled() != boost::asio::cancellation_type::none;
  if (!cancelled) result = co_await parts_.provider->ask(std::move(request));
  finish(*call, result, parts_.clock->monotonic_ms() - started_ms);
  const CallBill bill = bill_of(*call, result);
  parts_.meter->settle(bill);
  if (!result) co_return std::unexpected(std::move(result.error().error));
  result->cost = bill.cost;
  result->usage = bill.usage;
  result->model = parts_.resolved.name;
  co_return std::move(*result);
}

void MeteredModel::finish(const Call& call, const ProviderResult& result, std::int64_t took_ms) {
  if (result) {
    parts_.health->on_answer();
    deadline_.on_answer(took_ms, parts_.clock->monotonic_ms());
    if (const auto overdue_ms = deadline_.overdue_ms()) parts_.limiter->set_overdue_after(*overdue_ms);
    parts_.limiter->leave(call.slot, CallEnd::answered, result->usage.total());
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
    bill.cost = cost_of(*usage, call.prices);
  } else {
    bill.estimated = true;
    bill.usage.input_tokens = call.bound.input_tokens;
    bill.usage.output_tokens = call.bound.output_tokens;
    bill.cost = call.bound.cost;
  }
  return bill;
}

}  // namespace palette::model
