// The templates of a job, compiled once, and the graph of its steps: a step runs as soon as the steps that its
// templates refer to are done.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/environment.h"
#include "job/diagnostics.h"
#include "job/spec.h"
#include "job/template_library.h"

namespace palette::job {

// What templates see beside the columns of the seed row: `steps` (done steps by id, each with output, prompt, model),
// `seed_row` (the whole row) and `record_index` (from 0).
inline constexpr std::string_view kStepsVariable = "steps";
inline constexpr std::string_view kSeedRowVariable = "seed_row";
inline constexpr std::string_view kRecordIndexVariable = "record_index";

struct CompiledStep {
  std::string id;
  std::size_t position = 0;  // in the template
  std::optional<jinja::Template> system;
  std::optional<jinja::Template> prompt;  // set in every step of a job without errors
  std::vector<std::size_t> needs;         // indexes into CompiledJob::steps, each below this one's own
  std::vector<std::string> models;        // fallbacks in order
  CallOptions options;
  bool cache_system = false;  // `cache` was asked for, and the system text is the same for every record
  std::uint32_t stream = 0;   // of its random numbers
};

// A variable that a template reads from the seed row.
struct SeedVariable {
  std::vector<std::string> path;
  std::string file;
  Mark mark;
  std::string field;
  std::string excerpt;
  bool guarded = false;
};

struct CompiledJob {
  std::vector<std::string> step_ids;  // of all steps, fragments too, in the order of the template
  std::vector<CompiledStep> steps;    // those that are executed, each after those it needs
  std::vector<std::pair<std::string, jinja::Template>> columns;
  std::vector<SeedVariable> seed_variables;

  // Is there never more than one step ready at a time?
  bool is_chain() const;
};

// Compiles everything, tells every error of the templates (syntax, unknown filters, includes that are not there), every
// reference to a step that does not exist or is a fragment, and cycles; a warning for a step that nobody uses when the
// job has columns. What did not compile is left out of the result.
CompiledJob compile_job(const JobSpec& spec, std::shared_ptr<TemplateLibrary> library, Diagnostics& diagnostics);

}  // namespace palette::job
