// Where the jobs of a command are: the local data directory (objects in D/objects, tables in D/jobs.db, leases in
// D/leases), or AWS (bucket and tables as the environment names them, store/aws/aws_stores.h). Temporary files are in
// D/tmp in both.
//
//   auto workspace = open_place(options);                      // as --aws, PALETTE_STORE and --data-dir say
//   if (!workspace) return tell_error(workspace.error());
//   (*workspace)->loop.run((*workspace)->jobs->list_jobs());
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "async/blocking.h"
#include "async/event_loop.h"
#include "aws/environment.h"
#include "aws/service.h"
#include "base/result.h"
#include "cli/command.h"
#include "store/aws/aws_stores.h"
#include "store/job_store.h"
#include "store/object_store.h"

namespace palette::cli {

class Workspace {
 public:
  // Makes the folder when it is missing.
  static Result<std::unique_ptr<Workspace>> open(const std::filesystem::path& data_dir);

  // For commands that only look: not_found when there is no such folder.
  static Result<std::unique_ptr<Workspace>> open_existing(const std::filesystem::path& data_dir);

  // bad_input when the environment does not name tables and bucket. Nothing is asked of AWS yet.
  static Result<std::unique_ptr<Workspace>> open_aws(const aws::Environment& environment,
                                                     const std::filesystem::path& data_dir);

  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::filesystem::path data_dir;
  async::EventLoop& loop;
  async::BlockingPool& pool;
  store::ObjectStore& objects;
  const std::unique_ptr<store::JobStore>& jobs;

  bool is_in_aws() const;
  // Another service of AWS, with the same region and credentials. bad_input when its endpoint is no URL.
  Result<std::shared_ptr<aws::Service>> service(const aws::ServiceName& name) const;

  // Local jobs only.
  std::filesystem::path lease_file(const JobId& job) const { return data_dir / "leases" / job.text; }
  // A job that stands as RUNNING though nobody holds its lease was killed: the same command goes on, it is QUEUED. In
  // AWS the workers see to that.
  void mend_status(store::JobItem& job) const;
  std::filesystem::path temp_dir() const { return data_dir / "tmp"; }

 private:
  struct Parts;
  explicit Workspace(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;  // owns what the members above refer to
};

// The place that the options and the environment name. not_found for a data directory without jobs; bad_input for a
// PALETTE_STORE that is neither `local` nor `aws`.
Result<std::unique_ptr<Workspace>> open_place(const CommonOptions& options);

// Is the place AWS: by --aws, or by PALETTE_STORE=aws?
Result<bool> is_aws_meant(const CommonOptions& options, const aws::Environment& environment);

// The job; not_found says how to list those that there are.
async::Task<Result<store::JobItem>> find_job(Workspace* workspace, JobId id);

// For a command that is shown to the user: " --aws", " --data-dir D", or nothing for the default data directory.
std::string place_flag(const Workspace& workspace);

// Where large seed data is unpacked; made only when it is needed.
std::filesystem::path spool_dir_of(const std::filesystem::path& data_dir);

}  // namespace palette::cli
