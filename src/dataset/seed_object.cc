#include "dataset/seed_object.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "async/task_group.h"
#include "base/limits.h"
#include "dataset/object_rows.h"
#include "dataset/seed_index.h"
#include "dataset/spool_file.h"
#include "dataset/stored_rows.h"

namespace palette::dataset {
namespace {

constexpr std::uint64_t kPieceBytes = 8 * limits::kMiB;

// One version of an object, read from its beginning to its end; the next piece comes while the last one is used.
struct ObjectVersion {
  std::string key, etag;
  std::uint64_t bytes = 0;
};

// Takes the pieces of an object, on the pool.
class PieceSink {
 public:
  virtual ~PieceSink() = default;
  virtual Status take(std::string_view piece, bool is_last) = 0;
};

async::Task<void> read_piece_at(store::ObjectStore* objects, const ObjectVersion* version, std::uint64_t offset,
                                Result<std::string>* piece) {
  const std::uint64_t wanted = std::min(kPieceBytes, version->bytes - offset);
  *piece = co_await objects->get_range(version->key, offset, wanted, version->etag);
  if (*piece && (*piece)->size() != wanted) {
    *piece = fail(ErrorKind::corrupt, "a range of the object has " + std::to_string((*piece)->size()) +
                                          " bytes instead of " + std::to_string(wanted));
  }
}

async::Task<Status> read_through(SeedPlaces places, ObjectVersion version, PieceSink* sink) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  Result<std::string> piece;
  co_await read_piece_at(places.objects, &version, 0, &piece);
  for (std::uint64_t offset = 0; piece;) {
    offset += piece->size();
    const bool is_last = offset >= version.bytes;
    Result<std::string> next;
    if (!is_last) group.spawn(read_piece_at(places.objects, &version, offset, &next));
    const Status taken = co_await places.pool->run([sink, &piece, is_last] { return sink->take(*piece, is_last); });
    co_await group.join();
    if (!taken || is_last) co_return taken;
    piece = std::move(next);
  }
  co_return std::unexpected(piece.error());
}

class IntoIndexer final : public PieceSink {
 public:
  explicit IntoIndexer(SeedIndexer& indexer) : indexer_(indexer) {}
  Status take(std::string_view piece, bool is_last) override { return indexer_.take(piece, is_last); }

 private:
  SeedIndexer& indexer_;
};

class IntoFile final : public PieceSink {
 public:
  explicit IntoFile(SpoolFile& file) : file_(file) {}
  Status take(std::string_view piece, bool is_last) override {
    Status written = file_.append(piece);
    return written && is_last ? file_.flush() : written;
  }

 private:
  SpoolFile& file_;
};

// A copy of the object in a spool file, which has a name where a library must open it.
async::Task<Result<std::unique_ptr<SpoolFile>>> copy_to_spool(SeedPlaces places, ObjectVersion version,
                                                              bool with_name) {
  auto file = co_await places.pool->run([&places, with_name] {
    return with_name ? SpoolFile::create_named(places.spool_dir) : SpoolFile::create(places.spool_dir);
  });
  if (!file) co_return file;
  if (version.bytes == 0) co_return file;
  IntoFile into(**file);
  if (Status copied = co_await read_through(places, std::move(version), &into); !copied)
    co_return std::unexpected(copied.error());
  co_return file;
}

// The index that somebody has made of this version.
async::Task<Result<SeedIndex>> read_index(SeedPlaces places, ObjectVersion data, SeedFormat format) {
  const std::string key = seed_index_key(data.key, data.etag);
  const Result<store::ObjectInfo> info = co_await places.objects->head(key);
  if (!info) co_return std::unexpected(info.error());
  ObjectVersion version{key, info->etag, info->size};
  auto file = co_await copy_to_spool(places, version, false);
  if (!file) co_return std::unexpected(file.error().at(places.objects->location(key)));
  Result<SeedIndex> index = SeedIndex::open(std::move(*file), version.bytes, format, data.bytes);
  if (!index) co_return std::unexpected(index.error().at(places.objects->location(key)));
  co_return index;
}

// Reads the whole object, and keeps the index for the next one.
async::Task<Result<SeedIndex>> make_index(SeedPlaces places, ObjectVersion data, SeedFormat format) {
  auto file = co_await places.pool->run([&places] { return SpoolFile::create_named(places.spool_dir); });
  if (!file) co_return std::unexpected(file.error());
  const std::filesystem::path name = (*file)->name();
  SeedIndexer indexer(format, std::move(*file));
  IntoIndexer into(indexer);
  if (Status read = co_await read_through(places, data, &into); !read) co_return std::unexpected(read.error());
  Result<SeedIndex> index = co_await places.pool->run([&indexer] { return indexer.finish(); });
  if (!index) co_return index;
  const std::string key = seed_index_key(data.key, data.etag);
  const store::PutCondition if_absent{.if_absent = true};
  const Result<std::string> put = co_await places.objects->put_file(key, name, if_absent);
  // It is read on without its name, so that it is gone with the process (in a folder it may be gone from here already).
  std::error_code gone;
  std::filesystem::remove(name, gone);
  // Another worker's says the same.
  if (!put && put.error().kind != ErrorKind::already_exists) co_return std::unexpected(put.error());
  co_return index;
}

async::Task<Result<SeedData>> open_large_text(SeedPlaces places, ObjectVersion data, SeedFormat format) {
  Result<SeedIndex> index = co_await read_index(places, data, format);
  if (!index && index.error().kind == ErrorKind::not_found) index = co_await make_index(places, data, format);
  if (!index) co_return std::unexpected(index.error());
  std::string sha256 = index->summary().sha256;
  auto rows = std::make_unique<ObjectRows>(*places.objects, data.key, data.etag, std::move(*index));
  if (Status read = co_await rows->read_head(); !read) co_return std::unexpected(read.error());
  co_return SeedData(std::move(rows), std::move(sha256));
}

async::Task<Result<SeedData>> open_small_text(SeedPlaces places, ObjectVersion data, SeedFormat format) {
  const Result<std::string> text = co_await places.objects->get_range(data.key, 0, data.bytes, data.etag);
  if (!text) co_return std::unexpected(text.error());
  co_return co_await places.pool->run([&] { return read_seed_text(*text, format, places.spool_dir); });
}

async::Task<Result<SeedData>> open_parquet(SeedPlaces places, ObjectVersion data) {
  const auto file = co_await copy_to_spool(places, std::move(data), true);
  if (!file) co_return std::unexpected(file.error());
  co_return co_await places.pool->run(
      [&] { return read_seed_file((*file)->name(), SeedFormat::parquet, places.spool_dir); });
}

}  // namespace

std::string seed_index_key(const std::string& key, const std::string& etag) {
  std::string version = etag;
  std::erase(version, '"');
  return key + "." + version + ".index";
}

async::Task<Result<SeedData>> open_seed_object(SeedPlaces places, std::string key) {
  const std::string where = places.objects->location(key);
  const Result<SeedFormat> format = seed_format_of(key);
  if (!format) co_return std::unexpected(format.error().at(where));
  const Result<store::ObjectInfo> info = co_await places.objects->head(key);
  if (!info) co_return std::unexpected(info.error().at(where));
  ObjectVersion data{key, info->etag, info->size};
  Result<SeedData> opened = fail(ErrorKind::internal, "not opened yet");
  if (*format == SeedFormat::parquet) {
    opened = co_await open_parquet(places, std::move(data));
  } else if (data.bytes <= limits::kSeedMemoryBytes) {
    opened = co_await open_small_text(places, std::move(data), *format);
  } else {
    opened = co_await open_large_text(places, std::move(data), *format);
  }
  if (opened) co_return opened;
  Error error = opened.error();
  if (error.kind == ErrorKind::changed) error.message = "the seed data was replaced while it was read; start again";
  co_return std::unexpected(error.at(where));
}

}  // namespace palette::dataset
