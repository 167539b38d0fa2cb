// Every limit of the project in one place. A limit that a user can meet is named in the message that says so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace palette::limits {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// What a user may ask for.
inline constexpr std::int64_t kRecordsMax = 10'000'000;
inline constexpr std::int64_t kBudgetUsdMax = 1'000'000;
inline constexpr std::size_t kStepsMax = 100;
inline constexpr std::size_t kColumnsMax = 1'000;
inline constexpr std::size_t kNameBytesMax = 200;
inline constexpr std::size_t kDescriptionBytesMax = 10'000;
inline constexpr std::size_t kStepIdBytesMax = 64;
inline constexpr std::int64_t kConcurrencyMax = 10'000;
inline constexpr std::int64_t kMaxTokensMax = 1'000'000;
inline constexpr std::int64_t kPartsMax = 90;  // a DynamoDB transaction has 100 actions
inline constexpr std::size_t kStopSequencesMax = 16;
inline constexpr std::size_t kFallbackModelsMax = 10;

// Sizes of what is read.
inline constexpr std::size_t kJobFileBytesMax = 4 * kMiB;
inline constexpr std::size_t kTemplateBytesMax = 1 * kMiB;
inline constexpr std::size_t kSeedRowBytesMax = 1 * kMiB;
inline constexpr std::int64_t kSeedRowsMax = 100'000'000;
inline constexpr std::size_t kJsonDepth = 64;
inline constexpr std::size_t kYamlNodesMax = 200'000;
inline constexpr std::size_t kIncludeFilesMax = 1'000;
inline constexpr std::size_t kDiagnosticsMax = 500;  // complaints about one job; more are counted

// What stays in memory.
inline constexpr std::size_t kSeedMemoryBytes = 16 * kMiB;  // larger seed data is read from a spool file
inline constexpr std::size_t kSeedCacheBytes = 8 * kMiB;    // parsed rows kept for reuse
inline constexpr std::size_t kParquetRowGroupBytes = 16 * kMiB;
inline constexpr std::size_t kPromptBytesMax = 4 * kMiB;  // one rendered prompt
inline constexpr std::size_t kObjectBytesMax = 1024 * kMiB;
inline constexpr std::size_t kListPageKeys = 1'000;

// How a job runs.
inline constexpr std::int64_t kBatchRecords = 50;  // CHECKPOINT_INTERVAL's default
inline constexpr std::int64_t kBatchRecordsMax = 10'000;
inline constexpr std::int64_t kConcurrencyDefault = 256;
inline constexpr std::int64_t kAlikeFailuresMax = 20;  // the first so many failing alike end the job early
inline constexpr double kFailureRatioDefault = 0.5;
inline constexpr int kJournalFlushLocal_ms = 1'000;
inline constexpr int kDrainDeadline_ms = 100'000;

}  // namespace palette::limits
