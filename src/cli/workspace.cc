#include "cli/workspace.h"

#include "store/local/file_lease.h"

namespace palette::cli {

Result<std::unique_ptr<Workspace>> Workspace::open(const std::filesystem::path& data_dir) {
  std::error_code ec;
  std::filesystem::create_directories(data_dir, ec);
  if (ec) return std::unexpected(system_error("create folder", data_dir.string(), ec.value()));
  std::unique_ptr<Workspace> workspace(new Workspace(data_dir));
  auto jobs = store::SqliteJobStore::open(data_dir / "jobs.db", workspace->pool);
  if (!jobs) return std::unexpected(jobs.error());
  workspace->jobs = std::move(*jobs);
  return workspace;
}

Result<std::unique_ptr<Workspace>> Workspace::open_existing(const std::filesystem::path& data_dir) {
  std::error_code ec;
  if (!std::filesystem::exists(data_dir / "jobs.db", ec)) {
    return fail(ErrorKind::not_found,
                "there are no jobs here; name the folder with --data-dir, or make a job with plot-palette run",
                data_dir.string());
  }
  return open(data_dir);
}

void Workspace::mend_status(store::JobItem& job) const {
  if (job.status == job::JobStatus::running && !store::FileLease::is_held(lease_file(job.id))) {
    job.status = job::JobStatus::queued;
  }
}

std::filesystem::path spool_dir_of(const std::filesystem::path& data_dir) {
  std::error_code ec;
  // While a job is only checked, the data directory is not made.
  return std::filesystem::is_directory(data_dir, ec) ? data_dir / "tmp" : std::filesystem::temp_directory_path(ec);
}

}  // namespace palette::cli
