// Errors are values: every function that can fail returns Result<T>.
//
//   Result<Json> spec = parse_json(text);
//   if (!spec) return std::unexpected(spec.error().at("job.yaml"));
//   use(*spec);
//
// Exceptions end at the edge of the library that throws them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace palette {

// What the caller should do about it.
enum class ErrorKind : std::uint8_t {
  bad_input,       // the user's input is wrong: fix it; nothing was started
  not_found,       // there is no such thing
  already_exists,  // put-if-absent found something
  changed,         // put-if-match found another version
  conflict,        // two writes at once: try again
  held,            // another owner holds the lease
  fenced,          // a later attempt owns the part: stop
  throttled,       // slow down and try again
  unavailable,     // the other side is away: try again, or fall back
  timeout,         // no answer in time: try again
  cancelled,       // we were told to stop
  refused,         // the model declined to answer
  truncated,       // the answer hit the token limit
  too_large,       // a limit was crossed
  denied,          // no permission
  quota,           // a quota that does not come back for hours: stop, go on later
  outage,          // away for so long that waiting is left to a later run: stop, go on later
  over_budget,     // the next call does not fit in the budget
  corrupt,         // stored data cannot be read: stop, never start over
  io,              // the disk or the operating system failed
  internal,        // a bug of ours
};

// The name as it stands in records, tables and logs, e.g. "bad_input".
std::string_view to_string(ErrorKind kind);

// The kind of that name; `internal` for a name that is not known.
ErrorKind error_kind_from(std::string_view name);

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;     // for a person: what, what was expected, what to do
  std::string where = {};  // a file, an object key, a step; empty when the message says it all
  std::uint32_t line = 0;  // 1-based position inside `where`; 0 = not known
  std::uint32_t column = 0;
  std::int64_t retry_after_ms = 0;  // what the other side asks us to wait; 0: it said nothing

  // The same error with its place filled in; a place already known is kept.
  Error at(std::string_view place) const;

  // "job.yaml:12:3: message", one line.
  std::string text() const;

  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string where = {}) {
  return std::unexpected(Error{kind, std::move(message), std::move(where)});
}

// The system call's name, what it was done to, and strerror(errno_value).
Error system_error(std::string_view call, std::string_view what, int errno_value);

}  // namespace palette
