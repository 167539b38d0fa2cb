#include "generate/exporter.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/limits.h"
#include "generate/record_line.h"

namespace palette::generate {
namespace {

constexpr std::size_t kPartitionsMax = 1000;

}  // namespace

// `rows` is the JSONL of the columns, from which the other formats are made.
struct Exporter::Shard {
  std::string date;
  std::map<job::OutputFormat, std::filesystem::path> files;
  std::map<job::OutputFormat, std::unique_ptr<dataset::DatasetWriter>> writers;
  std::int64_t records = 0;

  ~Shard() {
    writers.clear();
    std::error_code ec;
    for (const auto& [format, file] : files) std::filesystem::remove(file, ec);  // what was published is gone already
  }
};

Exporter::Exporter(const PreparedJob& job, PartContext context, store::ObjectStore& objects, async::BlockingPool& pool,
                   ExportSettings settings, async::StopFlag& stop)
    : job_(job),
      context_(std::move(context)),
      objects_(objects),
      pool_(pool),
      settings_(std::move(settings)),
      stop_(stop),
      has_columns_(!job.compiled.columns.empty()),
      rows_(job),
      schema_(has_columns_ ? dataset::Schema{} : dataset::record_schema()) {
  for (const auto& [name, column] : job.compiled.columns) schema_.push_back({name, {}});
}

Exporter::~Exporter() = default;

async::Task<Result<ExportReport>> Exporter::run(ResumeState state) {
  RecordSource source(objects_, context_, job_.compiled.step_ids, std::move(state));
  ExportReport report;
  while (true) {
    if (stop_.requested()) co_return fail(ErrorKind::cancelled, "the export was interrupted");
    const Result<std::optional<SourceBatch>> batch = co_await source.next();
    if (!batch) co_return std::unexpected(batch.error());
    if (!*batch) break;
    report.records += static_cast<std::int64_t>((*batch)->lines.size());
    if (has_columns_) {
      std::vector<RecordIndex> records;
      for (const auto& [index, line] : (*batch)->lines) records.push_back(RecordIndex{index});
      if (Status done = co_await rows_.fetch_rows(std::move(records)); !done) co_return std::unexpected(done.error());
    }
    if (Status done = co_await pool_.run([&] { return append_batch(**batch); }); !done)
      co_return std::unexpected(done.error());
  }
  if (Status done = co_await pool_.run([&] { return finish_shards(); }); !done) co_return std::unexpected(done.error());
  if (Status done = co_await publish(&report); !done) co_return std::unexpected(done.error());
  if (settings_.replace_all) {
    if (Status done = co_await remove_old(&report); !done) co_return std::unexpected(done.error());
  }
  report.notes = rows_.notes();
  note_mixed_columns(report.notes);
  co_return report;
}

Status Exporter::append_batch(const SourceBatch& batch) {
  for (const auto& [index, line] : batch.lines) {
    if (Status done = append_record(index, line); !done) return done;
  }
  return {};
}

Status Exporter::append_record(std::int64_t index, std::string_view line) {
  const Result<Shard*> shard = shard_of(line);
  if (!shard) return std::unexpected(shard.error());
  ++(*shard)->records;
  if (!has_columns_) {
    const Result<std::vector<dataset::Cell>> cells = record_cells(line);
    if (!cells) return std::unexpected(cells.error());
    for (auto& [format, writer] : (*shard)->writers) {
      if (Status done = writer->append(*cells, line); !done) return done;
    }
    return {};
  }
  const Result<JsonObject> row = rows_.row_of(RecordIndex{index}, line);
  if (!row) return std::unexpected(row.error());
  infer(schema_, *row);
  scratch_.clear();
  append_json(scratch_, *row);
  return (*shard)->writers[job::OutputFormat::jsonl]->append(row_cells(schema_, *row), scratch_);
}

Result<Exporter::Shard*> Exporter::shard_of(std::string_view record_line) {
  std::string_view date;
  if (settings_.partition == job::PartitionStrategy::timestamp) {
    const Result<RecordLine> parts = split_record_line(record_line);
    if (!parts) return std::unexpected(parts.error());
    date = parts->timestamp.substr(0, 10);
  }
  if (const auto found = shards_.find(date); found != shards_.end()) return found->second.get();
  if (shards_.size() >= kPartitionsMax)
    return fail(ErrorKind::too_large, "the records are of more than 1000 days, the most partitions there may be");
  auto shard = std::make_unique<Shard>();
  shard->date = std::string(date);
  const std::vector<job::OutputFormat> first_pass =
      has_columns_ ? std::vector{job::OutputFormat::jsonl} : settings_.formats;
  if (Status opened = open_writers(*shard, first_pass, schema_); !opened) return std::unexpected(opened.error());
  return shards_.emplace(date, std::move(shard)).first->second.get();
}

Status Exporter::open_writers(Shard& shard, const std::vector<job::OutputFormat>& formats,
                              const dataset::Schema& schema) {
  std::error_code ec;
  std::filesystem::create_directories(settings_.temp_dir, ec);
  for (job::OutputFormat format : formats) {
    const std::filesystem::path file =
        settings_.temp_dir / (context_.job.text + "-" + std::to_string(::getpid()) + "-" +
                              random_hex_id().substr(0, 8) + shard.date + "." + std::string(job::extension(format)));
    auto writer = dataset::open_dataset_writer(format, file, schema);
    if (!writer) return std::unexpected(writer.error());
    shard.files[format] = file;
    shard.writers[format] = std::move(*writer);
  }
  return {};
}

Status Exporter::finish_shards() {
  // A dataset without a record is an empty file, not a missing one.
  if (shards_.empty() && settings_.partition == job::PartitionStrategy::none) {
    auto shard = std::make_unique<Shard>();
    if (Status opened =
            open_writers(*shard, has_columns_ ? std::vector{job::OutputFormat::jsonl} : settings_.formats, schema_);
        !opened)
      return opened;
    shards_.emplace("", std::move(shard));
  }
  for (auto& [date, shard] : shards_) {
    for (auto& [format, writer] : shard->writers) {
      if (Status done = writer->finish(); !done) return done;
    }
    shard->writers.clear();
    if (has_columns_) {
      if (Status done = convert(*shard); !done) return done;
    }
  }
  return {};
}

// The second pass: from the rows as JSONL to the other formats.
Status Exporter::convert(Shard& shard) {
  std::vector<job::OutputFormat> formats = settings_.formats;
  const bool jsonl_wanted = std::erase(formats, job::OutputFormat::jsonl) > 0;
  if (Status opened = open_writers(shard, formats, schema_); !opened) return opened;
  if (!formats.empty()) {
    std::ifstream rows(shard.files[job::OutputFormat::jsonl], std::ios::binary);
    for (std::string line; std::getline(rows, line);) {
      const Result<Json> row = parse_json(line);
      if (!row || !row->is_object()) return fail(ErrorKind::internal, "a row of the dataset could not be read back");
      const std::vector<dataset::Cell> cells = row_cells(schema_, row->get_object());
      for (auto& [format, writer] : shard.writers) {
        if (Status done = writer->append(cells, line); !done) return done;
      }
    }
    if (!rows.eof())
      return fail(ErrorKind::io, "the rows of the dataset could not be read back",
                  shard.files[job::OutputFormat::jsonl].string());
    for (auto& [format, writer] : shard.writers) {
      if (Status done = writer->finish(); !done) return done;
    }
    shard.writers.clear();
  }
  if (!jsonl_wanted) {
    std::error_code ec;
    std::filesystem::remove(shard.files[job::OutputFormat::jsonl], ec);
    shard.files.erase(job::OutputFormat::jsonl);
  }
  return {};
}

async::Task<Status> Exporter::publish(ExportReport* report) {
  for (auto& [date, shard] : shards_) {
    for (const auto& [format, file] : shard->files) {
      const std::string extension = "." + std::string(job::extension(format));
      const bool whole = settings_.partition == job::PartitionStrategy::none;
      const std::string name = whole ? "dataset" + extension : "date=" + date + "/records" + extension;
      const std::string key = exports_prefix(context_.job) + (whole ? "" : "partitioned/") + name;
      if (stop_.requested()) co_return fail(ErrorKind::cancelled, "the export was stopped");
      const Result<std::string> put = co_await objects_.put_file(key, file);
      if (!put) co_return std::unexpected(put.error());
      report->files.push_back({format, key, name});
    }
  }
  co_return Status{};
}

async::Task<Status> Exporter::remove_old(const ExportReport* report) {
  const auto old = co_await store::list_all(objects_, exports_prefix(context_.job));
  if (!old) co_return std::unexpected(old.error());
  for (const store::ObjectInfo& info : *old) {
    const bool ours = std::any_of(report->files.begin(), report->files.end(),
                                  [&](const ExportedFile& f) { return f.key == info.key; });
    if (ours) continue;
    if (stop_.requested()) co_return fail(ErrorKind::cancelled, "the export was stopped");
    if (Status removed = co_await objects_.remove(info.key); !removed) co_return removed;
  }
  co_return Status{};
}

void Exporter::note_mixed_columns(std::vector<std::string>& notes) const {
  const bool typed = std::find(settings_.formats.begin(), settings_.formats.end(), job::OutputFormat::parquet) !=
                     settings_.formats.end();
  if (!typed) return;
  for (const dataset::Column& column : schema_) {
    if (column.type.mixed)
      notes.push_back("column '" + column.name + "' has values of several types; in Parquet it is JSON text");
  }
}

std::string exports_prefix(const JobId& job) { return "jobs/" + job.text + "/exports/"; }

async::Task<Status> copy_to_file(store::ObjectStore& objects, async::BlockingPool& pool, std::string key,
                                 std::filesystem::path file) {
  const std::filesystem::path temp = file.string() + ".tmp-" + std::to_string(::getpid());
  std::ofstream out;
  Status opened = co_await pool.run([&]() -> Status {
    std::error_code ec;
    std::filesystem::create_directories(file.parent_path(), ec);
    out.open(temp, std::ios::binary | std::ios::trunc);
    if (!out) return std::unexpected(system_error("open", temp.string(), errno));
    return {};
  });
  if (!opened) co_return opened;
  for (std::uint64_t offset = 0;;) {
    const Result<std::string> part = co_await objects.get_range(key, offset, 4 * limits::kMiB);
    if (!part) co_return std::unexpected(part.error());
    if (part->empty()) break;
    offset += part->size();
    const bool written = co_await pool.run(
        [&] { return static_cast<bool>(out.write(part->data(), static_cast<std::streamsize>(part->size()))); });
    if (!written) co_return std::unexpected(system_error("write", temp.string(), errno));
  }
  co_return co_await pool.run([&]() -> Status {
    out.close();
    if (!out) return std::unexpected(system_error("write", temp.string(), errno));
    std::error_code ec;
    std::filesystem::rename(temp, file, ec);
    if (ec) return std::unexpected(system_error("rename", file.string(), ec.value()));
    return {};
  });
}

async::Task<Status> copy_exports(store::ObjectStore& objects, async::BlockingPool& pool,
                                 std::vector<ExportedFile> files, std::filesystem::path folder) {
  for (const ExportedFile& file : files) {
    const Status copied = co_await copy_to_file(objects, pool, file.key, folder / file.name);
    if (!copied) co_return copied;
  }
  co_return Status{};
}

}  // namespace palette::generate
