// One record while it is made and as it is kept (DESIGN.md section 5).
//
//   {"id":"<job_id>-<index>","job_id","timestamp","seed_data_keys",
//    "generation_result":{"<step id>":{"prompt","output","model","usage":{…},"cost_usd"}}}
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/model.h"

namespace palette::generate {

// What a step gave. `request_sha256` names the rendered request that it answers; computed when it is first needed.
struct StepOutcome {
  std::string prompt;
  std::string system;
  std::string output;
  std::string model;
  model::Usage usage;
  Money cost;
  int tries = 1;
  std::string request_sha256;
  bool booked = false;  // the usage of an earlier round or attempt has it already
};

// An answer that was paid for and not used: truncated, or refused.
struct UnusedAnswer {
  std::string step, model;
  model::Usage usage;
  Money cost;

  bool operator==(const UnusedAnswer&) const = default;
};

struct RecordFailure {
  std::string step;
  ErrorKind kind = ErrorKind::internal;
  std::string message;
  int tries = 1;
  std::vector<UnusedAnswer> unused = {};  // more than one when steps ran side by side

  Money unused_cost() const;
};

struct RecordState {
  RecordIndex index;
  std::string seed_data_keys;                     // JSON text: the row's _id, or its number
  std::vector<std::optional<StepOutcome>> steps;  // in the order of the template; fragments stay empty
  std::optional<RecordFailure> failure;
  std::int64_t round = 0;              // which retry makes it, from 1; 0: made for the first time
  std::optional<UtcTime> finished_at;  // set when the record is whole, or has failed for good

  bool succeeded() const { return finished_at && !failure; }
};

// The step ids of a job in the order of the template.
using StepIds = std::vector<std::string>;

// A record's line without its newline. Precondition: state.succeeded().
void append_record_line(std::string& out, const JobId& job, const StepIds& step_ids, const RecordState& state);

// A line of a failures object: {"index","seed_data_keys","step","error":{"kind","message"},"tries","cost_usd","steps"};
// the finished steps are kept, so that a retry pays only for the rest.
void append_failure_line(std::string& out, const StepIds& step_ids, const RecordState& state);

// A line of a journal: {"record","seed_data_keys","timestamp"?,"round"?,"failure"?,"steps":{"<id>":{"request",…}}}.
// "round" of a record that is retried; "booked" in a step that an earlier round has paid for.
void append_journal_line(std::string& out, const StepIds& step_ids, const RecordState& state);

// Reads a line of a journal or of a failures object. Steps that the job does not have are skipped. corrupt if it is
// neither.
Result<RecordState> parse_journal_line(std::string_view line, const StepIds& step_ids);

// The record index in a record's or a failure's line, without parsing all of it.
Result<RecordIndex> index_of_line(std::string_view line, const JobId& job);

}  // namespace palette::generate
