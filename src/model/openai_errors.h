// What goes wrong with chat completions, from statuses, headers and bodies to an Error's kind and a message for a
// person: the server, the status, what it said, what to do. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/openai_retry_after.h"
#include "model/provider.h"

namespace palette::model {

// Where a call went, for messages.
struct ChatPlace {
  const job::ResolvedModel* model = nullptr;  // not null; outlives this
  std::string server;                         // "models.example:8000"
};

// An answer whose status is not 2xx. It was not paid for, unless it comes from a gateway (502, 504, 520, 524) behind
// which the server may have worked.
ProviderFailure failed_chat(int status, std::string_view body, const WaitHeaders& headers, std::int64_t now_unix_ms,
                            const ChatPlace& place);

// The error inside an answer with a good status; nothing when there is none. Nobody knows what was paid for it.
std::optional<ProviderFailure> error_in_answer(const JsonObject& answer, const ChatPlace& place);

// Every `key` in the text becomes "[key]": some servers repeat what they were sent. Keys of under 6 bytes stay: they
// are placeholders ("none") rather than secrets.
std::string without_key(std::string text, std::string_view key);

}  // namespace palette::model
