// How long a server asks us to wait: Retry-After and its relatives, as OpenAI and others send them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace palette::model {

// The headers that say it; empty where there is none.
struct WaitHeaders {
  std::string_view retry_after_ms = {};  // retry-after-ms
  std::string_view retry_after = {};     // Retry-After: seconds, or a date (RFC 9110 section 10.2.3)
  std::string_view remaining_requests = {}, reset_requests = {};  // x-ratelimit-<…>-requests, -tokens
  std::string_view remaining_tokens = {}, reset_tokens = {};
};

// In this order: retry-after-ms, Retry-After, the later reset of what has 0 left. 0: none says it, or the time has
// passed. At most a day.
std::int64_t wait_ms(const WaitHeaders& headers, std::int64_t now_unix_ms);

// "1s", "6m0s", "120ms", "1h2m3.5s", or a plain number of seconds.
std::optional<std::int64_t> duration_ms(std::string_view text);

}  // namespace palette::model
