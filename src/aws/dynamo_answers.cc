#include "aws/dynamo_answers.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace palette::aws {
namespace {

const JsonArray kNoValues;

// The member as an array; an empty one when it is absent.
Result<const JsonArray*> array_member(const Json& answer, std::string_view name) {
  const Json* member = answer.is_object() ? answer.get_object().if_contains(name) : nullptr;
  if (member == nullptr) return &kNoValues;
  if (member->is_array()) return &member->get_array();
  return fail(ErrorKind::corrupt, "'" + std::string(name) + "' is no array");
}

std::string text_member(const JsonObject& object, std::string_view name) {
  const Json* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

// An item that cannot be read is no reason to hide the refusal it came with.
std::optional<DynamoItem> item_beside(const JsonObject& object) {
  const Json* member = object.if_contains("Item");
  if (member == nullptr || !member->is_object()) return {};
  Result<DynamoItem> item = item_from_wire(*member);
  if (!item) return {};
  return std::move(*item);
}

JsonObject body_of_refusal(const ServiceFailure& failure) {
  if (failure.response == nullptr) return {};
  Result<Json> json = parse_json(failure.response->body);
  return json && json->is_object() ? std::move(json->get_object()) : JsonObject();
}

std::vector<CancellationReason> reasons_from(const JsonObject& body) {
  std::vector<CancellationReason> reasons;
  const Json* list = body.if_contains("CancellationReasons");
  if (list == nullptr || !list->is_array()) return reasons;
  for (const Json& value : list->get_array()) {
    CancellationReason reason;
    if (value.is_object()) {
      reason.code = text_member(value.get_object(), "Code");
      reason.message = text_member(value.get_object(), "Message");
      reason.item = item_beside(value.get_object());
    }
    reasons.push_back(std::move(reason));
  }
  return reasons;
}

bool is_none(const CancellationReason& reason) { return reason.code.empty() || reason.code == "None"; }

bool is_passing(const CancellationReason& reason) {
  static constexpr std::string_view kPassing[] = {"TransactionConflict", "ProvisionedThroughputExceeded",
                                                  "ThrottlingError"};
  return is_none(reason) || std::ranges::find(kPassing, reason.code) != std::end(kPassing);
}

// A transaction that only others' work got into the way of.
bool is_passing(const std::vector<CancellationReason>& reasons) {
  return !std::ranges::all_of(reasons, is_none) &&
         std::ranges::all_of(reasons, [](const CancellationReason& reason) { return is_passing(reason); });
}

ErrorKind kind_of_cancelled(const std::vector<CancellationReason>& reasons) {
  const auto any = [&](std::string_view code) {
    return std::ranges::find(reasons, code, &CancellationReason::code) != reasons.end();
  };
  if (any("ConditionalCheckFailed")) return ErrorKind::changed;
  if (any("ItemCollectionSizeLimitExceeded")) return ErrorKind::too_large;
  if (any("TransactionConflict")) return ErrorKind::conflict;
  if (is_passing(reasons)) return ErrorKind::throttled;
  return ErrorKind::bad_input;
}

// "action 2: ConditionalCheckFailed (The conditional request failed)".
std::string text_of_reasons(const std::vector<CancellationReason>& reasons) {
  std::string out;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (is_none(reasons[i])) continue;
    out += (out.empty() ? "" : ", ") + ("action " + std::to_string(i + 1) + ": " + reasons[i].code);
    if (!reasons[i].message.empty()) out += " (" + reasons[i].message.substr(0, 200) + ")";
  }
  return out;
}

// Codes that mean something else here than to other services.
void apply_own_codes(DynamoFailure& failure) {
  using enum ErrorKind;
  static constexpr std::pair<std::string_view, ErrorKind> kOwn[] = {
      {"ConditionalCheckFailedException", changed},       {"TransactionConflictException", conflict},
      {"ReplicatedWriteConflictException", conflict},     {"ItemCollectionSizeLimitExceededException", too_large},
      {"IdempotentParameterMismatchException", internal}, {"ResourceInUseException", already_exists},
  };
  for (const auto& [code, kind] : kOwn) {
    if (failure.code == code) failure.error.kind = kind;
  }
  if (failure.code == "ResourceNotFoundException") {
    failure.error.message += "; check the name of the table, and the region";
  }
  if (failure.code != "TransactionCanceledException") return;
  failure.error.kind = kind_of_cancelled(failure.reasons);
  if (const std::string why = text_of_reasons(failure.reasons); !why.empty()) failure.error.message += "; " + why;
}

Result<BatchWrite> write_from(const std::string& table, const Json& value) {
  BatchWrite write{.table = table};
  const JsonObject* object = value.if_object();
  if (const Json* put = object != nullptr ? object->if_contains("PutRequest") : nullptr) {
    Result<std::optional<DynamoItem>> item = item_member(*put, "Item");
    if (!item) return std::unexpected(item.error());
    write.put = std::move(*item);
  } else if (const Json* remove = object != nullptr ? object->if_contains("DeleteRequest") : nullptr) {
    Result<std::optional<DynamoItem>> key = item_member(*remove, "Key");
    if (!key) return std::unexpected(key.error());
    write.remove = std::move(*key);
  }
  if (write.put || write.remove) return write;
  return fail(ErrorKind::corrupt, "an unprocessed write is neither a put nor a delete");
}

}  // namespace

Status check_crc(const http::Response& response) {
  const std::string* told = response.headers.find("x-amz-crc32");
  // It is of the bytes as they came. A body that was packed has lost its length and been checked by its own CRC.
  if (told == nullptr || response.headers.find("content-length") == nullptr) return {};
  std::uint32_t expected = 0;
  const auto [end, error] = std::from_chars(told->data(), told->data() + told->size(), expected);
  const bool is_number = error == std::errc{} && end == told->data() + told->size();
  const auto* bytes = reinterpret_cast<const Bytef*>(response.body.data());
  if (is_number && crc32_z(0, bytes, response.body.size()) == expected) return {};
  return fail(ErrorKind::corrupt, "the answer of DynamoDB came damaged (x-amz-crc32 does not match)");
}

bool is_conflict(const ServiceFailure& failure) {
  static constexpr std::string_view kConflicts[] = {"TransactionConflictException", "TransactionInProgressException",
                                                    "ReplicatedWriteConflictException"};
  if (std::ranges::find(kConflicts, failure.code) != std::end(kConflicts)) return true;
  return failure.code == "TransactionCanceledException" && is_passing(reasons_from(body_of_refusal(failure)));
}

DynamoFailure dynamo_failure(RetriedOutcome outcome) {
  ServiceFailure& told = outcome.answer.error();
  DynamoFailure failure;
  failure.may_have_worked = outcome.may_have_worked || is_lost(told);
  failure.error = std::move(told.error);
  failure.code = told.code;
  const JsonObject body = body_of_refusal(told);
  failure.reasons = reasons_from(body);
  failure.item = item_beside(body);
  if (failure.error.kind != ErrorKind::cancelled) apply_own_codes(failure);
  return failure;
}

DynamoFailure unreadable(const Error& error, std::string_view operation) {
  DynamoFailure failure;
  failure.error = error;
  failure.error.kind = ErrorKind::corrupt;
  failure.error.message = "the answer of DynamoDB to " + std::string(operation) + " cannot be read: " + error.text();
  failure.error.where.clear();
  failure.error.line = failure.error.column = 0;
  failure.may_have_worked = true;
  return failure;
}

Result<std::optional<DynamoItem>> item_member(const Json& answer, std::string_view name) {
  const Json* member = answer.is_object() ? answer.get_object().if_contains(name) : nullptr;
  if (member == nullptr) return std::nullopt;
  Result<DynamoItem> item = item_from_wire(*member);
  if (!item) return std::unexpected(item.error());
  return std::move(*item);
}

Result<ItemPage> page_from(const Json& answer) {
  const Result<const JsonArray*> items = array_member(answer, "Items");
  if (!items) return std::unexpected(items.error());
  ItemPage page;
  page.items.reserve((*items)->size());
  for (const Json& value : **items) {
    Result<DynamoItem> item = item_from_wire(value);
    if (!item) return std::unexpected(item.error());
    page.items.push_back(std::move(*item));
  }
  Result<std::optional<DynamoItem>> next = item_member(answer, "LastEvaluatedKey");
  if (!next) return std::unexpected(next.error());
  page.next = std::move(*next);
  return page;
}

Result<std::vector<BatchWrite>> unprocessed_from(const Json& answer) {
  std::vector<BatchWrite> writes;
  const Json* tables = answer.is_object() ? answer.get_object().if_contains("UnprocessedItems") : nullptr;
  if (tables == nullptr) return writes;
  if (!tables->is_object()) return fail(ErrorKind::corrupt, "'UnprocessedItems' is no object");
  for (const auto& member : tables->get_object()) {
    const std::string table(member.key());
    const Result<const JsonArray*> list = array_member(*tables, table);
    if (!list) return std::unexpected(list.error());
    for (const Json& value : **list) {
      Result<BatchWrite> write = write_from(table, value);
      if (!write) return std::unexpected(write.error());
      writes.push_back(std::move(*write));
    }
  }
  return writes;
}

}  // namespace palette::aws
