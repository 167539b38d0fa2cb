// The findings of `doctor`, one line each, told as they come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace palette::cli {

class DoctorReport {
 public:
  enum class Level : std::uint8_t { ok, warn, fail, skipped };

  // With `json` nothing is printed until finish().
  explicit DoctorReport(bool json) : json_(json) {}

  void ok(std::string_view check, const std::string& found) { add(Level::ok, check, found); }
  void warn(std::string_view check, const std::string& found) { add(Level::warn, check, found); }
  void fail(std::string_view check, const std::string& found) { add(Level::fail, check, found); }
  void add(Level level, std::string_view check, const std::string& found);

  // Prints the JSON, or how many checks failed. Gives the exit code: 1 when any did.
  int finish() const;

 private:
  bool json_;
  JsonArray checks_;
  std::int64_t failed_ = 0, warned_ = 0;
};

}  // namespace palette::cli
