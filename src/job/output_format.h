// The formats of a dataset.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace palette::job {

enum class OutputFormat : std::uint8_t { jsonl, parquet, csv };

std::string_view to_string(OutputFormat format);  // "JSONL", "PARQUET", "CSV"
std::string_view extension(OutputFormat format);  // "jsonl", "parquet", "csv"

// By name, in any case.
std::optional<OutputFormat> output_format_from(std::string_view name);

}  // namespace palette::job
