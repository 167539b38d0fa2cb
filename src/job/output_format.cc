#include "job/output_format.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"JSONL", "PARQUET", "CSV"};
constexpr std::array<std::string_view, 3> kExtensions = {"jsonl", "parquet", "csv"};

}  // namespace

std::string_view to_string(OutputFormat format) { return kNames[static_cast<std::size_t>(format)]; }
std::string_view extension(OutputFormat format) { return kExtensions[static_cast<std::size_t>(format)]; }

std::optional<OutputFormat> output_format_from(std::string_view name) {
  for (std::size_t i = 0; i < kExtensions.size(); ++i) {
    const bool same = std::ranges::equal(
        name, kExtensions[i], [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
    if (same) return static_cast<OutputFormat>(i);
  }
  return std::nullopt;
}

}  // namespace palette::job
