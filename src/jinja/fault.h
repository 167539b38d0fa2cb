// How the engine reports a failure inside itself: an exception that never leaves the library. The render's edge
// turns it into an Error and fills in where it happened.
#pragma once

#include <cstdint>
#include <exception>
#include <string>

#include "base/result.h"

namespace palette::jinja {

struct Fault : std::exception {
  ErrorKind kind = ErrorKind::bad_input;
  std::string message;
  std::string template_name = {};  // empty: the edge fills in the place it was at
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  Fault(ErrorKind of_kind, std::string text) : kind(of_kind), message(std::move(text)) {}
  const char* what() const noexcept override { return message.c_str(); }
};

[[noreturn]] inline void fault(std::string message) { throw Fault(ErrorKind::bad_input, std::move(message)); }
[[noreturn]] inline void fault_limit(std::string message) { throw Fault(ErrorKind::too_large, std::move(message)); }

}  // namespace palette::jinja
