// Before anything that costs money: what may be paid for, and the question whether to go on.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/environment.h"
#include "base/result.h"
#include "cli/job_estimate.h"
#include "cli/workspace.h"
#include "generate/estimate.h"
#include "generate/preflight.h"

namespace palette::cli {

// Is it called over a network?
bool is_remote(const job::ResolvedModel& model);

struct CallCosts {
  // A call of the job costs money: a known price above zero, or a model without one at Bedrock or at OpenAI's own
  // server.
  bool costs_money = false;
  std::vector<std::string> unpriced;   // models of those without a known price
  std::vector<std::string> uncounted;  // models without a known price at another server: taken as free
};
CallCosts call_costs(const generate::PreparedJob& prepared, const aws::Environment& environment);

// One note on stderr for each uncounted model.
void note_uncounted(const CallCosts& costs);

// Is the job made already, so that a run would only export it? Errors: those of the store.
Result<bool> nothing_left_to_do(Workspace& workspace, const generate::PreparedJob& prepared, bool fresh,
                                bool retry_failed);
// The same of a data directory that may not be there.
Result<bool> nothing_left_to_do(const std::filesystem::path& data_dir, const generate::PreparedJob& prepared,
                                bool fresh, bool retry_failed);

// May a question be asked (stdin and stderr are terminals)?
bool can_ask();

// Asks "… [y/N] " on stderr; anything but y or yes is a no.
bool ask(const std::string& question);

// `run` of a job that costs money, has no budget_limit and got no --yes: shows what it may cost and asks, or, without a
// terminal, says what is wanted. Nothing when it may go on, else the exit code.
std::optional<int> confirm_run(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                               const CallCosts& costs);

// All of it: what the job may cost goes to `estimate`, to be remembered in it; where nothing limits that, the user has
// a say. Nothing when it may go on, else the exit code.
struct CostLook {
  bool quiet = false;
  bool yes = false;                            // the user has agreed already
  std::function<Result<bool>()> is_made = {};  // nothing_left_to_do
};
std::optional<int> look_at_costs(const CostLook& look, const generate::PreparedJob& prepared,
                                 const aws::Environment& environment, std::optional<KeptEstimate>& estimate);

}  // namespace palette::cli
