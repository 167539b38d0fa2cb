// Seed data that is an object of a store, in the formats of a file (seed_data.h).
//
//   Result<SeedData> seeds = co_await open_seed_object({&objects, &pool, spool_dir}, "seed-data/ann/seeds.jsonl");
//
// Memory is bounded whatever the object's size. One of at most limits::kSeedMemoryBytes is read at once, and is then as
// a local file. A larger one (JSONL, CSV, JSON) is read through once, in ranges of 8 MiB under its ETag, by whoever
// opens it first: that checks and hashes it and makes an index of where each row stands (seed_index.h), which is kept
// beside it as `{key}.{etag}.index`. Later openers read the index instead, into a spool file of 8 bytes a row. Rows are
// then read by ranges (object_rows.h). Parquet is copied to a spool file first, and its rows unpacked into another.
#pragma once

#include <filesystem>
#include <string>

#include "async/blocking.h"
#include "async/task.h"
#include "dataset/seed_data.h"
#include "store/object_store.h"

namespace palette::dataset {

// Where seed data is read from and unpacked to. All must outlive what is opened.
struct SeedPlaces {
  store::ObjectStore* objects = nullptr;
  async::BlockingPool* pool = nullptr;
  std::filesystem::path spool_dir;  // made when it is missing
};

// Errors: those of SeedData::open, at the object's location; not_found when there is no such object; changed when
// another one is put in its place meanwhile; corrupt for an index that cannot be read; those of the store.
async::Task<Result<SeedData>> open_seed_object(SeedPlaces places, std::string key);

// The key of the index of such an object.
std::string seed_index_key(const std::string& key, const std::string& etag);

}  // namespace palette::dataset
