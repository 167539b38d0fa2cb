#include "base/result.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace palette {
namespace {

constexpr std::array<std::string_view, 21> kNames = {
    "bad_input", "not_found",   "already_exists", "changed",     "conflict", "held",      "fenced",
    "throttled", "unavailable", "timeout",        "cancelled",   "refused",  "truncated", "too_large",
    "denied",    "quota",       "outage",         "over_budget", "corrupt",  "io",        "internal"};

}  // namespace

std::string_view to_string(ErrorKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

ErrorKind error_kind_from(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ErrorKind>(i);
  }
  return ErrorKind::internal;
}

Error Error::at(std::string_view place) const {
  Error copy = *this;
  if (copy.where.empty()) copy.where = place;
  return copy;
}

std::string Error::text() const {
  std::string out = where;
  if (line != 0) {
    out += (out.empty() ? "line " : ":") + std::to_string(line);
    if (column != 0) out += ":" + std::to_string(column);
  }
  if (!out.empty()) out += ": ";
  return out + message;
}

Error system_error(std::string_view call, std::string_view what, int errno_value) {
  ErrorKind kind = ErrorKind::io;
  if (errno_value == ENOENT) kind = ErrorKind::not_found;
  if (errno_value == EACCES || errno_value == EPERM || errno_value == EROFS) kind = ErrorKind::denied;
  if (errno_value == EEXIST) kind = ErrorKind::already_exists;
  return Error{kind, std::string(call) + ": " + std::strerror(errno_value), std::string(what)};
}

}  // namespace palette
