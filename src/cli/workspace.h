// The local data directory: objects in D/objects, tables in D/jobs.db, leases in D/leases, temporary files in D/tmp.
#pragma once

#include <filesystem>
#include <memory>

#include "async/blocking.h"
#include "async/event_loop.h"
#include "base/result.h"
#include "store/local/file_object_store.h"
#include "store/local/sqlite_job_store.h"

namespace palette::cli {

class Workspace {
 public:
  // Makes the folder when it is missing.
  static Result<std::unique_ptr<Workspace>> open(const std::filesystem::path& data_dir);

  // For commands that only look: not_found when there is no such folder.
  static Result<std::unique_ptr<Workspace>> open_existing(const std::filesystem::path& data_dir);

  std::filesystem::path data_dir;
  async::EventLoop loop;
  async::BlockingPool pool{4};
  store::FileObjectStore objects;
  std::unique_ptr<store::SqliteJobStore> jobs;

  std::filesystem::path lease_file(const JobId& job) const { return data_dir / "leases" / job.text; }
  // A job that stands as RUNNING though nobody holds its lease was killed: the same command goes on, it is QUEUED.
  void mend_status(store::JobItem& job) const;
  std::filesystem::path temp_dir() const { return data_dir / "tmp"; }

 private:
  explicit Workspace(std::filesystem::path dir) : data_dir(std::move(dir)), objects(data_dir / "objects", pool) {}
};

// Where large seed data is unpacked; made only when it is needed.
std::filesystem::path spool_dir_of(const std::filesystem::path& data_dir);

}  // namespace palette::cli
