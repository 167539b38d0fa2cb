// The dataset of a job from what was made, whoever made it: for `export`, and for a job that is cancelled.
#pragma once

#include <filesystem>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "cli/workspace.h"
#include "generate/exporter.h"
#include "generate/resume.h"
#include "generate/saved_job.h"
#include "job/output_format.h"
#include "store/job_store.h"

namespace palette::cli {

struct ExportWish {
  std::vector<job::OutputFormat> formats = {};  // empty: as the job says
  bool replace_all = false;                     // exports of other formats are removed
};

// Of all parts, what is in journals too. Nothing is generated. Errors: bad_input when the job's columns need seed data
// that is gone; those of load_job and of the exporter.
async::Task<Result<generate::ExportReport>> export_made(Workspace* workspace, store::JobItem item, ExportWish wish);

// What all parts of a job have made and spent.
async::Task<Result<generate::ResumeState>> load_made(Workspace* workspace, store::JobItem item,
                                                     std::vector<std::string> step_ids);

// The export files that are there, with the names that copies get.
async::Task<Result<std::vector<generate::ExportedFile>>> list_exports(Workspace* workspace, JobId id);

}  // namespace palette::cli
