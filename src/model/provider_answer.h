// What an answer of a provider says, and whether it can be used: the part that all wire formats share.
//
//   ReadAnswer answer;               // filled from the provider's own format
//   return judge_answer(std::move(answer), model);
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "model/provider.h"

namespace palette::model {

// How a provider names the end of an answer, and what it means for us.
struct StopName {
  std::string_view name;
  StopReason stop;
};

// Where the JSON tree of an answer lives while it is read: one of the usual size needs no allocation.
class AnswerRoom {
 public:
  boost::json::storage_ptr storage() { return &resource_; }

 private:
  unsigned char bytes_[4096];
  boost::json::monotonic_resource resource_{bytes_, sizeof bytes_};
};

struct ReadAnswer {
  std::string text;
  std::string reason;              // as the provider named it; empty: it did not say
  std::optional<StopReason> stop;  // nothing: a reason that we do not know, so not a whole answer
  std::optional<Usage> usage;      // nothing: the answer did not say
};

// What `reason` means; nothing when the table does not have it. New reasons appear: none is taken for "complete".
std::optional<StopReason> stop_of(std::string_view reason, std::span<const StopName> table);

// The result, or why it is of no use: an unknown stop reason (refused), or a complete answer without text (unavailable:
// worth another try). Either was paid for.
ProviderResult judge_answer(ReadAnswer answer, const job::ResolvedModel& model);

// An answer with a good status that is not what it should be: kind unavailable. `what` goes on "the answer …".
ProviderFailure unreadable_answer(std::string_view what, std::string_view body, std::optional<Usage> usage,
                                  const job::ResolvedModel& model);

// The names that a format gives the members of its usage; empty: it has none.
struct UsageNames {
  std::string_view input, output, cache_read, cache_write;
};

// A number of tokens: an integer of 0 to 10^12, 3.0 too. Nothing when it is absent, null or something else.
std::optional<std::int64_t> token_count(const JsonObject& object, std::string_view key);

// Nothing when there is no usage, when input or output is missing or not a count, when a cache count is there but none,
// or when all are zero (servers that do not count say so). `input_includes_cache`: cached tokens are taken off the
// input.
std::optional<Usage> read_usage(const JsonObject* usage, const UsageNames& names, bool input_includes_cache);

// The text of `key`, or "" when it is absent or not a string.
std::string_view text_of(const JsonObject& object, std::string_view key);
// The member when it is an object or a list with an object in front; null otherwise.
const JsonObject* object_of(const JsonObject& object, std::string_view key);
const JsonObject* first_object_of(const JsonObject& object, std::string_view key);

// The first bytes of a text on one line, for messages.
std::string excerpt(std::string_view text, std::size_t bytes_max);

}  // namespace palette::model
