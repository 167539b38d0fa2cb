// What is asked of DynamoDB, as values, and the JSON bodies that ask it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "aws/dynamo_attribute.h"

namespace palette::aws {

// What an expression refers to: "#s" is a name (many plain ones are reserved words), ":v" a value. DynamoDB refuses
// one that is declared and not used.
struct DynamoTerms {
  std::map<std::string, std::string> names;
  DynamoItem values;
};

// Which attributes the write gives back.
enum class Returned : std::uint8_t { none, all_old, all_new, updated_new };

struct GetItem {
  std::string table;
  DynamoItem key;
  bool consistent = true;
};

struct PutItem {
  std::string table;
  DynamoItem item;
  std::string condition = {};  // empty: none
  DynamoTerms terms = {};
  Returned returned = Returned::none;  // all_old or none; not in a transaction
};

struct UpdateItem {
  std::string table;
  DynamoItem key;
  std::string update;  // "SET a = :a REMOVE b"
  std::string condition = {};
  DynamoTerms terms = {};
  Returned returned = Returned::none;  // not in a transaction
};

struct DeleteItem {
  std::string table;
  DynamoItem key;
  std::string condition = {};
  DynamoTerms terms = {};
  Returned returned = Returned::none;  // as of PutItem
};

struct ConditionCheck {
  std::string table;
  DynamoItem key;
  std::string condition;
  DynamoTerms terms = {};
};

// In a transaction no item may be named twice.
using TransactAction = std::variant<PutItem, UpdateItem, DeleteItem, ConditionCheck>;

struct Query {
  std::string table;
  std::string key_condition;
  DynamoTerms terms = {};
  std::string index = {};   // empty: the table itself
  std::string filter = {};  // applied after the page was read: an empty page may have a next one
  bool consistent = true;   // must be off for a global index
  bool forward = true;
  std::int64_t page_items = 0;  // evaluated in a page, at most; 0: as many as fit in 1 MB
};

struct Scan {
  std::string table;
  std::string index = {}, filter = {};
  DynamoTerms terms = {};
  bool consistent = true;
  std::int64_t page_items = 0;
};

// One of a batch: exactly one of the two is set.
struct BatchWrite {
  std::string table;
  std::optional<DynamoItem> put = {};
  std::optional<DynamoItem> remove = {};  // its key
};

inline constexpr std::size_t kTransactActionsMax = 100;
inline constexpr std::size_t kBatchWritesMax = 25;

// The bodies. Conditional writes ask for the item that failed the condition (ReturnValuesOnConditionCheckFailure).
std::string body_of(const GetItem& request);
std::string body_of(const PutItem& request);
std::string body_of(const UpdateItem& request);
std::string body_of(const DeleteItem& request);
// `start` is the key that the last page ended at; null for the first page.
std::string body_of(const Query& request, const DynamoItem* start);
std::string body_of(const Scan& request, const DynamoItem* start);
std::string body_of(std::span<const TransactAction> actions, const std::string& token);
std::string body_of(std::span<const BatchWrite> writes);

}  // namespace palette::aws
