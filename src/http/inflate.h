// Unpacks a gzip body (RFC 1952) that comes in pieces, with a limit on what comes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette::http {

class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends to `out` at most `room` bytes of what `packed` unpacks to. too_large beyond; corrupt for what is no gzip.
  Status append(std::string_view packed, std::string& out, std::uint64_t room);
  // Whether what came so far is whole: no bytes at all, or complete members.
  bool whole() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palette::http
