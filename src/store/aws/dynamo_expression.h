// Expressions of DynamoDB put together piece by piece. Every name goes through a "#name": half of ours (status, name,
// position, owner …) are reserved words.
//
//   DynamoExpression lease;
//   lease.set(lease.path({"lease_expires_at"}), Attribute::text(until));
//   lease.require_equal(lease.path({"attempt"}), Attribute::number(3));
//   UpdateItem renew{.table = …, .key = …, .update = lease.update(), .condition = lease.condition(), .terms =
//   lease.terms()};
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "aws/dynamo_requests.h"

namespace palette::store {

class DynamoExpression {
 public:
  // "#parts.#n_1.#records" of {"parts", "1", "records"}.
  std::string path(std::initializer_list<std::string_view> names);
  // ":v0", ":v1", …
  std::string value(aws::Attribute value);

  // What an update does; each path at most once.
  void set(const std::string& path, aws::Attribute new_value);
  void set_if_absent(const std::string& path, aws::Attribute new_value);
  // Adds to a number; an absent one counts as 0.
  void add(const std::string& path, aws::Attribute difference);
  // Takes what `value` (of value()) stands for from a number that must be there.
  void take(const std::string& path, const std::string& value);
  void remove(const std::string& path);
  void add_to_set(const std::string& path, std::vector<std::string> elements);
  void remove_from_set(const std::string& path, std::string element);

  // What must hold, all of it.
  void require(std::string_view condition);
  void require_equal(const std::string& path, aws::Attribute expected);

  std::string update() const;
  const std::string& condition() const { return condition_; }
  const aws::DynamoTerms& terms() const { return terms_; }

 private:
  std::string sets_, removes_, adds_, deletes_;  // the clauses of an update, without their word
  std::string condition_;
  aws::DynamoTerms terms_;
};

}  // namespace palette::store
