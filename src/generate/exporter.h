// The dataset in the user's formats: streamed batch by batch to local files, which are then moved into the object
// store, so that a reader never sees half a file.
//
// Without `columns` every format is written in one pass. With them the rows are first written as JSONL while their
// types are learnt; CSV and Parquet are made from that file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/blocking.h"
#include "async/stop_flag.h"
#include "async/task.h"
#include "generate/dataset_rows.h"
#include "generate/preflight.h"
#include "generate/record_source.h"
#include "job/output_format.h"
#include "store/object_store.h"

namespace palette::generate {

struct ExportSettings {
  std::vector<job::OutputFormat> formats;
  job::PartitionStrategy partition = job::PartitionStrategy::none;
  std::filesystem::path temp_dir;  // made when it is missing; on the file system of the store, best
  bool replace_all = true;         // exports of earlier runs that this one does not write are removed
};

struct ExportedFile {
  job::OutputFormat format = job::OutputFormat::jsonl;
  std::string key;   // in the object store
  std::string name;  // of a copy: dataset.csv, date=2026-11-23/records.csv
};

struct ExportReport {
  std::vector<ExportedFile> files;
  std::int64_t records = 0;
  std::vector<std::string> notes;  // what a user should know: columns of mixed types, cells that could not be rendered
};

class Exporter {
 public:
  // Everything must outlive run().
  Exporter(const PreparedJob& job, PartContext context, store::ObjectStore& objects, async::BlockingPool& pool,
           ExportSettings settings, async::StopFlag& stop);
  ~Exporter();

  // Errors: cancelled when the run was stopped meanwhile (what was published is whole, and is written again); corrupt,
  // io and those of the store.
  async::Task<Result<ExportReport>> run(ResumeState state);

 private:
  struct Shard;  // the files of one partition
  Status append_batch(const SourceBatch& batch);
  Status append_record(std::int64_t index, std::string_view line);
  Result<Shard*> shard_of(std::string_view record_line);
  Status open_writers(Shard& shard, const std::vector<job::OutputFormat>& formats, const dataset::Schema& schema);
  Status finish_shards();
  Status convert(Shard& shard);
  async::Task<Status> publish(ExportReport* report);
  async::Task<Status> remove_old(const ExportReport* report);
  void note_mixed_columns(std::vector<std::string>& notes) const;

  const PreparedJob& job_;
  PartContext context_;
  store::ObjectStore& objects_;
  async::BlockingPool& pool_;
  ExportSettings settings_;
  async::StopFlag& stop_;
  bool has_columns_;
  ColumnRows rows_;
  dataset::Schema schema_;
  std::map<std::string, std::unique_ptr<Shard>, std::less<>> shards_;  // by date; "" when there are no partitions
  std::string scratch_;
};

std::string exports_prefix(const JobId& job);  // jobs/J/exports/

// Copies an object to a local file: a temporary file beside it, then a rename.
async::Task<Status> copy_to_file(store::ObjectStore& objects, async::BlockingPool& pool, std::string key,
                                 std::filesystem::path file);

// Copies what was exported to `folder`, each under its name.
async::Task<Status> copy_exports(store::ObjectStore& objects, async::BlockingPool& pool,
                                 std::vector<ExportedFile> files, std::filesystem::path folder);

}  // namespace palette::generate
