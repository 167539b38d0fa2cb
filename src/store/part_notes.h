// How the Jobs item notes what its parts do: the rules that every JobStore shares.
#pragma once

#include <string>

#include "store/job_store.h"

namespace palette::store {

// The owner's report: its figures over those noted, the slices and the fruitless attempts as they were (none, when
// there are more records than before). The job's totals are the sums over the parts.
void note_progress(JobItem& job, const QueueItem& held, PartProgress progress, UtcTime now);

// Another attempt that ended in an error or a lapsed lease.
void note_fruitless(PartProgress& part, std::string cause);

std::string lapsed_lease(const QueueItem& item);  // the cause

// To a claim of what is left over of a job that has ended.
std::unexpected<Error> has_ended_already(const JobItem& job);

}  // namespace palette::store
