// DynamoDB: items and conditional writes, signed and tried again (JSON 1.0, API of 2012-08-10; reference section 5).
//
//   DynamoDb dynamodb(service, clock);
//   UpdateItem renew{.table = "Queue", .key = key, .update = "SET lease = :l", .condition = "attempt = :a", …};
//   DynamoResult<Written> done = co_await dynamodb.update_item(std::move(renew));
//   if (!done && done.error().error.kind == ErrorKind::changed) …   // the condition failed; .item is what is there
//
// Tried again: throttling, 5xx, lost answers, an answer whose CRC is wrong, TransactionInProgress, TransactionConflict
// (also as the only reasons of a cancelled transaction). A write that was tried again may have worked the first time:
// `may_have_worked` says so, and then a failed condition may be our own doing.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/dynamo_requests.h"
#include "aws/retried_service.h"

namespace palette::aws {

inline const ServiceName kDynamoDbName{"dynamodb", "dynamodb", "DynamoDB"};

// Why one action of a transaction did not happen; in the order of the actions.
struct CancellationReason {
  std::string code;  // "None" for an action that was not the reason
  std::string message;
  std::optional<DynamoItem> item = {};  // as it was, when its condition failed and it exists
};

// Kinds: changed (a condition failed, in a transaction too), conflict (others wrote the same items to the last try),
// not_found (the table), denied, bad_input, throttled, unavailable, timeout, cancelled, corrupt (an answer that cannot
// be read).
struct DynamoFailure {
  Error error;
  std::string code;                         // "ConditionalCheckFailedException"; empty when no answer came
  std::vector<CancellationReason> reasons;  // of a cancelled transaction
  std::optional<DynamoItem> item;           // the item that failed the condition of a plain write; none: it is absent
  bool may_have_worked = false;             // some try may have taken effect
};

template <class T>
using DynamoResult = std::expected<T, DynamoFailure>;

struct Written {
  DynamoItem attributes;         // what `returned` asked for
  bool may_have_worked = false;  // an earlier try may have taken effect too
};

struct ItemPage {
  std::vector<DynamoItem> items;
  std::optional<DynamoItem> next;  // where the next page starts; none: this was the last
};

// For the costs. A transaction takes twice the capacity of its single writes: 2 units a KB written instead of 1.
struct DynamoStats {
  std::int64_t requests = 0;  // sent, retries among them
  std::int64_t retries = 0;
  std::int64_t transactions = 0;  // of the requests
};

class DynamoDb {
 public:
  // `clock` must outlive it.
  DynamoDb(std::shared_ptr<Service> service, const Clock& clock, RetryRules rules = default_rules());
  ~DynamoDb();

  // None when there is no such item.
  async::Task<DynamoResult<std::optional<DynamoItem>>> get_item(GetItem request);
  async::Task<DynamoResult<Written>> put_item(PutItem request);
  async::Task<DynamoResult<Written>> update_item(UpdateItem request);
  async::Task<DynamoResult<Written>> delete_item(DeleteItem request);

  async::Task<DynamoResult<ItemPage>> query_page(Query request, std::optional<DynamoItem> start = {});
  async::Task<DynamoResult<ItemPage>> scan_page(Scan request, std::optional<DynamoItem> start = {});
  // All pages; too_large when there are more than `items_max`.
  async::Task<DynamoResult<std::vector<DynamoItem>>> query(Query request, std::size_t items_max);
  async::Task<DynamoResult<std::vector<DynamoItem>>> scan(Scan request, std::size_t items_max);

  // All or none, of 1 to kTransactActionsMax actions; one ClientRequestToken for all its tries, so that a try whose
  // answer was lost is not applied twice.
  async::Task<DynamoResult<Written>> transact_write(std::vector<TransactAction> actions);
  // Any number, 25 at a time; what DynamoDB left unprocessed goes again after a pause. Not atomic.
  async::Task<DynamoResult<Written>> batch_write(std::vector<BatchWrite> writes);

  // CreateTable, DescribeTable and the like: the body as it is; gives the answer's JSON.
  async::Task<DynamoResult<Json>> call(std::string operation, std::string body);

  DynamoStats stats() const;
  // How far the service's clock is ahead of ours, by the Date of its last answer; 0 when that is less than 2 s.
  std::int64_t clock_offset_ms() const;

  // How often and how long; `also` and `check` of the rules that are given are replaced by DynamoDB's own.
  static RetryRules default_rules();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace palette::aws
