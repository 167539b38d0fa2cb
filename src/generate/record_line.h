// A record's line as append_record_line writes it, cut into its members without parsing all of it.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "generate/record.h"

namespace palette::generate {

// Views into the line. seed_data_keys and generation_result are JSON texts.
struct RecordLine {
  std::string_view id, job_id, timestamp, seed_data_keys, generation_result;
};

// corrupt when the line does not have the members in their order.
Result<RecordLine> split_record_line(std::string_view line);

// The steps of a parsed generation_result by the order of `step_ids`; those that it lacks stay empty.
Result<std::vector<std::optional<StepOutcome>>> read_generation_result(const JsonObject& object,
                                                                       const StepIds& step_ids);

}  // namespace palette::generate
