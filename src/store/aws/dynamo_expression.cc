#include "store/aws/dynamo_expression.h"

#include <utility>

namespace palette::store {
namespace {

void append_listed(std::string& list, const std::string& piece) { list += (list.empty() ? "" : ", ") + piece; }

}  // namespace

std::string DynamoExpression::path(std::initializer_list<std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    const bool is_number = !name.empty() && name.front() >= '0' && name.front() <= '9';
    std::string alias = (is_number ? "#n_" : "#") + std::string(name);
    out += (out.empty() ? "" : ".") + alias;
    terms_.names.emplace(std::move(alias), name);
  }
  return out;
}

std::string DynamoExpression::value(aws::Attribute value) {
  std::string alias = ":v" + std::to_string(terms_.values.size());
  terms_.values.emplace(alias, std::move(value));
  return alias;
}

void DynamoExpression::set(const std::string& path, aws::Attribute new_value) {
  append_listed(sets_, path + " = " + value(std::move(new_value)));
}

void DynamoExpression::set_if_absent(const std::string& path, aws::Attribute new_value) {
  append_listed(sets_, path + " = if_not_exists(" + path + ", " + value(std::move(new_value)) + ")");
}

void DynamoExpression::add(const std::string& path, aws::Attribute difference) {
  const std::string zero = value(aws::Attribute::number(0));
  append_listed(sets_, path + " = if_not_exists(" + path + ", " + zero + ") + " + value(std::move(difference)));
}

void DynamoExpression::take(const std::string& path, const std::string& value) {
  append_listed(sets_, path + " = " + path + " - " + value);
}

void DynamoExpression::remove(const std::string& path) { append_listed(removes_, path); }

void DynamoExpression::add_to_set(const std::string& path, std::vector<std::string> elements) {
  append_listed(adds_, path + " " + value(aws::Attribute(aws::TextSet{std::move(elements)})));
}

void DynamoExpression::remove_from_set(const std::string& path, std::string element) {
  append_listed(deletes_, path + " " + value(aws::Attribute(aws::TextSet{{std::move(element)}})));
}

void DynamoExpression::require(std::string_view condition) {
  condition_ += (condition_.empty() ? "(" : " AND (") + std::string(condition) + ")";
}

void DynamoExpression::require_equal(const std::string& path, aws::Attribute expected) {
  require(path + " = " + value(std::move(expected)));
}

std::string DynamoExpression::update() const {
  std::string out;
  const std::pair<std::string_view, const std::string&> clauses[] = {
      {"SET ", sets_}, {"REMOVE ", removes_}, {"ADD ", adds_}, {"DELETE ", deletes_}};
  for (const auto& [word, list] : clauses) {
    if (!list.empty()) out += (out.empty() ? "" : " ") + std::string(word) + list;
  }
  return out;
}

}  // namespace palette::store
