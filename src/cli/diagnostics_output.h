// Findings about a job, told to a person (stderr) or a machine (JSON).
#pragma once

#include "base/json.h"
#include "job/diagnostics.h"

namespace palette::cli {

// Every finding, then one line that counts the errors. Warnings are left out with `quiet`.
void tell_findings(const job::Diagnostics& diagnostics, bool quiet);

// The findings of a job that cannot run; with `json` also as {"event":"invalid","findings"} on stdout. Gives the exit
// code.
int tell_invalid(const job::Diagnostics& diagnostics, bool json);

// [{"severity","file","line","column","field","message"}]
JsonArray findings_json(const job::Diagnostics& diagnostics);

}  // namespace palette::cli
