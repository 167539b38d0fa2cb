// Strong types for the numbers that must not be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace palette {

template <class Tag>
struct Numbered {
  std::int64_t value = 0;
  auto operator<=>(const Numbered&) const = default;
};

using BatchNumber = Numbered<struct BatchTag>;      // from 1
using PartNumber = Numbered<struct PartTag>;        // from 1
using AttemptNumber = Numbered<struct AttemptTag>;  // from 1; goes up at every claim
using RecordIndex = Numbered<struct RecordTag>;     // from 0

// A job's id: letters, digits and hyphens; it is part of object keys.
struct JobId {
  std::string text;
  auto operator<=>(const JobId&) const = default;
};

// "7" with width 4 is "0007"; longer numbers keep all their digits.
std::string zero_padded(std::int64_t value, int width);

// 128 random bits of the operating system as 32 hex digits.
std::string random_hex_id();

}  // namespace palette
