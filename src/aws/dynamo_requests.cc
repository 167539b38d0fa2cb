#include "aws/dynamo_requests.h"

#include <utility>

namespace palette::aws {
namespace {

// A JSON object, member by member.
class Body {
 public:
  Body() { out_ = "{"; }

  Body& text(std::string_view name, std::string_view value) {
    append_json_string(member(name), value);
    return *this;
  }
  // Left out when empty: what most requests do without.
  Body& some_text(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
    return *this;
  }
  Body& json(std::string_view name, std::string_view json_text) {
    member(name) += json_text;
    return *this;
  }
  Body& item(std::string_view name, const DynamoItem& value) {
    append_wire(member(name), value);
    return *this;
  }
  Body& terms(const DynamoTerms& terms) {
    if (!terms.names.empty()) {
      Body names;
      for (const auto& [name, attribute] : terms.names) names.text(name, attribute);
      json("ExpressionAttributeNames", std::move(names).whole());
    }
    if (!terms.values.empty()) item("ExpressionAttributeValues", terms.values);
    return *this;
  }
  Body& condition(std::string_view expression, const DynamoTerms& its_terms) {
    if (!expression.empty()) {
      text("ConditionExpression", expression);
      text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    }
    return terms(its_terms);
  }
  Body& returned(Returned what) {
    static constexpr std::string_view kNames[] = {"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_NEW"};
    if (what != Returned::none) text("ReturnValues", kNames[static_cast<std::size_t>(what)]);
    return *this;
  }

  std::string whole() && { return std::move(out_ += "}"); }

 private:
  std::string& member(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
    return out_;
  }

  std::string out_;
};

Body start_of(const PutItem& put) {
  Body body;
  body.text("TableName", put.table).item("Item", put.item).condition(put.condition, put.terms);
  return body;
}

Body start_of(const UpdateItem& update) {
  Body body;
  body.text("TableName", update.table).item("Key", update.key).text("UpdateExpression", update.update);
  body.condition(update.condition, update.terms);
  return body;
}

Body start_of(const DeleteItem& remove) {
  Body body;
  body.text("TableName", remove.table).item("Key", remove.key).condition(remove.condition, remove.terms);
  return body;
}

Body start_of(const ConditionCheck& check) {
  Body body;
  body.text("TableName", check.table).item("Key", check.key).condition(check.condition, check.terms);
  return body;
}

struct NameOfAction {
  std::string_view operator()(const PutItem&) const { return "Put"; }
  std::string_view operator()(const UpdateItem&) const { return "Update"; }
  std::string_view operator()(const DeleteItem&) const { return "Delete"; }
  std::string_view operator()(const ConditionCheck&) const { return "ConditionCheck"; }
};

struct BodyOfAction {
  template <class Action>
  std::string operator()(const Action& action) const {
    return start_of(action).whole();
  }
};

// What a query and a scan have in common.
template <class Request>
void add_paging(Body& body, const Request& request, const DynamoItem* start) {
  body.some_text("IndexName", request.index).some_text("FilterExpression", request.filter).terms(request.terms);
  if (request.consistent) body.json("ConsistentRead", "true");
  if (request.page_items > 0) body.json("Limit", std::to_string(request.page_items));
  if (start != nullptr) body.item("ExclusiveStartKey", *start);
}

}  // namespace

std::string body_of(const GetItem& request) {
  Body body;
  body.text("TableName", request.table).item("Key", request.key);
  if (request.consistent) body.json("ConsistentRead", "true");
  return std::move(body).whole();
}

std::string body_of(const PutItem& request) { return std::move(start_of(request).returned(request.returned)).whole(); }

std::string body_of(const UpdateItem& request) {
  return std::move(start_of(request).returned(request.returned)).whole();
}

std::string body_of(const DeleteItem& request) {
  return std::move(start_of(request).returned(request.returned)).whole();
}

std::string body_of(const Query& request, const DynamoItem* start) {
  Body body;
  body.text("TableName", request.table).text("KeyConditionExpression", request.key_condition);
  add_paging(body, request, start);
  if (!request.forward) body.json("ScanIndexForward", "false");
  return std::move(body).whole();
}

std::string body_of(const Scan& request, const DynamoItem* start) {
  Body body;
  body.text("TableName", request.table);
  add_paging(body, request, start);
  return std::move(body).whole();
}

std::string body_of(std::span<const TransactAction> actions, const std::string& token) {
  std::string list = "[";
  const char* comma = "";
  for (const TransactAction& action : actions) {
    Body one;
    one.json(std::visit(NameOfAction{}, action), std::visit(BodyOfAction{}, action));
    list += std::exchange(comma, ",") + std::move(one).whole();
  }
  Body body;
  body.json("TransactItems", list + "]").text("ClientRequestToken", token);
  return std::move(body).whole();
}

std::string body_of(std::span<const BatchWrite> writes) {
  std::map<std::string, std::string> by_table;
  for (const BatchWrite& write : writes) {
    Body inner;
    inner.item(write.put ? "Item" : "Key", write.put ? *write.put : *write.remove);
    Body one;
    one.json(write.put ? "PutRequest" : "DeleteRequest", std::move(inner).whole());
    std::string& list = by_table[write.table];
    list += (list.empty() ? "[" : ",") + std::move(one).whole();
  }
  Body tables;
  for (const auto& [table, list] : by_table) tables.json(table, list + "]");
  Body body;
  body.json("RequestItems", std::move(tables).whole());
  return std::move(body).whole();
}

}  // namespace palette::aws
