#include "aws/dynamodb.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "async/timer.h"
#include "aws/dynamo_answers.h"
#include "aws/timestamps.h"
#include "base/fault.h"
#include "base/ids.h"

namespace palette::aws {
namespace {

constexpr std::string_view kTarget = "DynamoDB_20120810.";
// DynamoDB answers in milliseconds: who waits longer has lost the request, and there is a lease to renew.
constexpr http::Deadlines kDeadlines{.connect_ms = 3'000, .first_byte_ms = 5'000, .idle_ms = 5'000, .total_ms = 15'000};
// A loop over pages ends even when the other side never says so.
constexpr std::size_t kPagesMax = 100'000;

RetryRules with_own_rules(RetryRules rules) {
  rules.also = is_conflict;
  rules.check = check_crc;
  return rules;
}

std::unexpected<DynamoFailure> failed(ErrorKind kind, std::string message) {
  DynamoFailure failure;
  failure.error = Error{kind, std::move(message)};
  return std::unexpected(std::move(failure));
}

}  // namespace

struct DynamoDb::State {
  State(std::shared_ptr<Service> service, const Clock& clock_of_ours, RetryRules retry_rules)
      : rules(with_own_rules(std::move(retry_rules))),
        retried(std::move(service), rules, clock_of_ours),
        clock(clock_of_ours) {}

  struct Answer {
    Json body;
    bool may_have_worked = false;
  };

  void note_clock(std::string_view date);
  static async::Task<DynamoResult<Answer>> ask(std::shared_ptr<State> state, std::string operation, std::string body);
  static async::Task<DynamoResult<Written>> write(std::shared_ptr<State> state, std::string operation,
                                                  std::string body);
  static async::Task<DynamoResult<std::optional<DynamoItem>>> get(std::shared_ptr<State> state, std::string body);
  static async::Task<DynamoResult<ItemPage>> page(std::shared_ptr<State> state, std::string operation,
                                                  std::string body);
  template <class Request>
  static async::Task<DynamoResult<std::vector<DynamoItem>>> all_pages(std::shared_ptr<State> state,
                                                                      std::string operation, Request request,
                                                                      std::size_t items_max);
  static async::Task<DynamoResult<Written>> batch(std::shared_ptr<State> state, std::vector<BatchWrite> writes);
  static async::Task<DynamoResult<Json>> plain_call(std::shared_ptr<State> state, std::string operation,
                                                    std::string body);

  RetryRules rules;
  RetriedService retried;
  const Clock& clock;
  std::int64_t clock_offset_ms = 0;
  DynamoStats stats;
};

// A Date has whole seconds, and took a while: a smaller difference says nothing.
void DynamoDb::State::note_clock(std::string_view date) {
  constexpr std::int64_t kNotable_ms = 2'000;
  const std::optional<UtcTime> server = parse_http_date(date);
  if (!server) return;
  const std::int64_t offset_ms = server->unix_ms + 500 - clock.now().unix_ms;
  clock_offset_ms = std::abs(offset_ms) < kNotable_ms ? 0 : offset_ms;
}

async::Task<DynamoResult<DynamoDb::State::Answer>> DynamoDb::State::ask(std::shared_ptr<State> state,
                                                                        std::string operation, std::string body) {
  ServiceRequest request;
  request.path = "/";
  request.headers.add("content-type", "application/x-amz-json-1.0");
  request.headers.add("x-amz-target", std::string(kTarget) + operation);
  request.body = std::move(body);
  request.deadlines = kDeadlines;
  async::Task<RetriedOutcome> calling = state->retried.call(std::move(request));
  RetriedOutcome outcome = co_await std::move(calling);
  state->stats.requests += outcome.tries;
  state->stats.retries += outcome.tries - 1;
  if (operation == "TransactWriteItems") state->stats.transactions += outcome.tries;
  if (!outcome.answer) co_return std::unexpected(dynamo_failure(std::move(outcome)));
  state->note_clock(outcome.answer->headers.get("date"));
  Result<Json> json = parse_json(outcome.answer->body);
  if (!json) co_return std::unexpected(unreadable(json.error(), operation));
  Answer answer;
  answer.body = std::move(*json);
  answer.may_have_worked = outcome.may_have_worked;
  co_return answer;
}

async::Task<DynamoResult<Written>> DynamoDb::State::write(std::shared_ptr<State> state, std::string operation,
                                                          std::string body) {
  fault::durable_write("dynamodb.before " + operation);
  DynamoResult<Answer> answer = co_await ask(std::move(state), operation, std::move(body));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  fault::durable_write("dynamodb.after " + operation);
  Result<std::optional<DynamoItem>> attributes = item_member(answer->body, "Attributes");
  if (!attributes) co_return std::unexpected(unreadable(attributes.error(), operation));
  Written written;
  if (*attributes) written.attributes = std::move(**attributes);
  written.may_have_worked = answer->may_have_worked;
  co_return written;
}

async::Task<DynamoResult<std::optional<DynamoItem>>> DynamoDb::State::get(std::shared_ptr<State> state,
                                                                          std::string body) {
  DynamoResult<Answer> answer = co_await ask(std::move(state), "GetItem", std::move(body));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  Result<std::optional<DynamoItem>> item = item_member(answer->body, "Item");
  if (!item) co_return std::unexpected(unreadable(item.error(), "GetItem"));
  co_return std::move(*item);
}

async::Task<DynamoResult<ItemPage>> DynamoDb::State::page(std::shared_ptr<State> state, std::string operation,
                                                          std::string body) {
  DynamoResult<Answer> answer = co_await ask(std::move(state), operation, std::move(body));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  Result<ItemPage> read = page_from(answer->body);
  if (!read) co_return std::unexpected(unreadable(read.error(), operation));
  co_return std::move(*read);
}

template <class Request>
async::Task<DynamoResult<std::vector<DynamoItem>>> DynamoDb::State::all_pages(std::shared_ptr<State> state,
                                                                              std::string operation, Request request,
                                                                              std::size_t items_max) {
  std::vector<DynamoItem> items;
  std::optional<DynamoItem> start;
  for (std::size_t pages = 0; pages < kPagesMax; ++pages) {
    std::string body = body_of(request, start ? &*start : nullptr);
    DynamoResult<ItemPage> read = co_await page(state, operation, std::move(body));
    if (!read) co_return std::unexpected(std::move(read.error()));
    std::ranges::move(read->items, std::back_inserter(items));
    if (items.size() > items_max) {
      co_return failed(ErrorKind::too_large,
                       "the table '" + request.table + "' gives more than " + std::to_string(items_max) + " items");
    }
    if (!read->next) co_return items;
    if (start && *start == *read->next) break;
    start = std::move(read->next);
  }
  co_return failed(ErrorKind::corrupt, "the pages of the table '" + request.table + "' do not come to an end");
}

async::Task<DynamoResult<Written>> DynamoDb::State::batch(std::shared_ptr<State> state,
                                                          std::vector<BatchWrite> writes) {
  Written written;
  for (int failed_rounds = 0; !writes.empty();) {
    const std::size_t count = std::min(writes.size(), kBatchWritesMax);
    const auto first = writes.end() - static_cast<std::ptrdiff_t>(count);
    std::string body = body_of(std::span<const BatchWrite>(&*first, count));
    DynamoResult<Answer> answer = co_await ask(state, "BatchWriteItem", std::move(body));
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    written.may_have_worked = written.may_have_worked || answer->may_have_worked;
    Result<std::vector<BatchWrite>> left = unprocessed_from(answer->body);
    if (!left) co_return std::unexpected(unreadable(left.error(), "BatchWriteItem"));
    writes.erase(first, writes.end());
    std::ranges::move(*left, std::back_inserter(writes));
    if (left->empty()) {
      failed_rounds = 0;
      continue;
    }
    if (++failed_rounds >= state->rules.tries_max) {
      co_return failed(ErrorKind::throttled, std::to_string(writes.size()) +
                                                 " writes of a batch are still unprocessed after " +
                                                 std::to_string(failed_rounds) + " tries: the table is too busy");
    }
    // Half of the longest pause: these are throttles, and a batch has nobody else to give way to.
    const Status slept = co_await async::sleep_for(pause_before_try_ms(state->rules, failed_rounds, 0.5));
    if (!slept) co_return failed(ErrorKind::cancelled, slept.error().message);
  }
  co_return written;
}

async::Task<DynamoResult<Json>> DynamoDb::State::plain_call(std::shared_ptr<State> state, std::string operation,
                                                            std::string body) {
  DynamoResult<Answer> answer = co_await ask(std::move(state), std::move(operation), std::move(body));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  co_return std::move(answer->body);
}

DynamoDb::DynamoDb(std::shared_ptr<Service> service, const Clock& clock, RetryRules rules)
    : state_(std::make_shared<State>(std::move(service), clock, std::move(rules))) {}

DynamoDb::~DynamoDb() = default;

RetryRules DynamoDb::default_rules() { return {}; }

async::Task<DynamoResult<std::optional<DynamoItem>>> DynamoDb::get_item(GetItem request) {
  return State::get(state_, body_of(request));
}
async::Task<DynamoResult<Written>> DynamoDb::put_item(PutItem request) {
  return State::write(state_, "PutItem", body_of(request));
}
async::Task<DynamoResult<Written>> DynamoDb::update_item(UpdateItem request) {
  return State::write(state_, "UpdateItem", body_of(request));
}
async::Task<DynamoResult<Written>> DynamoDb::delete_item(DeleteItem request) {
  return State::write(state_, "DeleteItem", body_of(request));
}
async::Task<DynamoResult<ItemPage>> DynamoDb::query_page(Query request, std::optional<DynamoItem> start) {
  return State::page(state_, "Query", body_of(request, start ? &*start : nullptr));
}
async::Task<DynamoResult<ItemPage>> DynamoDb::scan_page(Scan request, std::optional<DynamoItem> start) {
  return State::page(state_, "Scan", body_of(request, start ? &*start : nullptr));
}
async::Task<DynamoResult<std::vector<DynamoItem>>> DynamoDb::query(Query request, std::size_t items_max) {
  return State::all_pages(state_, "Query", std::move(request), items_max);
}
async::Task<DynamoResult<std::vector<DynamoItem>>> DynamoDb::scan(Scan request, std::size_t items_max) {
  return State::all_pages(state_, "Scan", std::move(request), items_max);
}
async::Task<DynamoResult<Written>> DynamoDb::transact_write(std::vector<TransactAction> actions) {
  return State::write(state_, "TransactWriteItems", body_of(actions, random_hex_id()));
}
async::Task<DynamoResult<Written>> DynamoDb::batch_write(std::vector<BatchWrite> writes) {
  return State::batch(state_, std::move(writes));
}
async::Task<DynamoResult<Json>> DynamoDb::call(std::string operation, std::string body) {
  return State::plain_call(state_, std::move(operation), std::move(body));
}

DynamoStats DynamoDb::stats() const { return state_->stats; }

std::int64_t DynamoDb::clock_offset_ms() const { return state_->clock_offset_ms; }

}  // namespace palette::aws
