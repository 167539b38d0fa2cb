// What a job cost, broken down, for people and for machines: at the end of `run`, and in `show`.
#pragma once

#include <optional>

#include "base/json.h"
#include "base/money.h"
#include "generate/usage.h"

namespace palette::cli {

struct JobCosts {
  generate::Spending used;       // calls whose answers stand in records, failed ones included
  generate::UsageByModel waste;  // calls that gave nothing
  Money compute, storage;        // in AWS
  Money possibly_spent;          // set aside when a crash cut the program off, and never settled
  std::optional<Money> budget, left;

  // Everything that is known to be spent.
  Money total() const;
  JsonObject to_json() const;
  // Lines of what is not zero, to stdout; nothing for a job that costs nothing.
  void print(bool with_tokens) const;
};

}  // namespace palette::cli
