#include "job/extents.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace palette::job {
namespace {

TEST(Extents, ExtensionLeavesStandingBatchesAlone) {
  // DESIGN.md section 5: 120 records extended to 200.
  Extents extents = Extents::of(120, 50);
  EXPECT_EQ(extents.batches(), 3);
  EXPECT_EQ(extents.records_of(BatchNumber{3}), (RecordRange{100, 20}));
  extents.extend_to(200, 50);
  EXPECT_EQ(extents.records(), 200);
  EXPECT_EQ(extents.batches(), 5);
  EXPECT_EQ(extents.records_of(BatchNumber{1}), (RecordRange{0, 50}));
  EXPECT_EQ(extents.records_of(BatchNumber{3}), (RecordRange{100, 20}));
  EXPECT_EQ(extents.records_of(BatchNumber{4}), (RecordRange{120, 50}));
  EXPECT_EQ(extents.records_of(BatchNumber{5}), (RecordRange{170, 30}));
  EXPECT_EQ(extents.batch_of(RecordIndex{119}), BatchNumber{3});
  EXPECT_EQ(extents.batch_of(RecordIndex{120}), BatchNumber{4});
  EXPECT_EQ(extents.batch_of(RecordIndex{199}), BatchNumber{5});
}

TEST(Extents, FewerOrAsManyRecordsAddNothing) {
  Extents extents = Extents::of(120, 50);
  extents.extend_to(120, 50);
  extents.extend_to(7, 50);
  EXPECT_EQ(extents, Extents::of(120, 50));
}

TEST(Extents, AnotherIntervalHoldsForTheNewExtentAlone) {
  Extents extents = Extents::of(10, 4);
  extents.extend_to(30, 10);
  EXPECT_EQ(extents.batches(), 5);
  EXPECT_EQ(extents.records_of(BatchNumber{3}), (RecordRange{8, 2}));
  EXPECT_EQ(extents.records_of(BatchNumber{4}), (RecordRange{10, 10}));
}

// Each extent in runs of batches, one for each part, that differ by one batch at most.
TEST(Extents, PartsShareEachExtentEvenly) {
  CounterRandom random(6, 0, stream_of("parts"));
  for (int round = 0; round < 300; ++round) {
    Extents extents = Extents::of(static_cast<std::int64_t>(1 + random.below(2'000)),
                                  static_cast<std::int64_t>(1 + random.below(60)));
    extents.extend_to(extents.records() + static_cast<std::int64_t>(random.below(500)),
                      static_cast<std::int64_t>(1 + random.below(60)));
    const auto parts = static_cast<std::int64_t>(1 + random.below(90));
    for (const Extent& extent : extents.list()) {
      std::map<std::int64_t, std::int64_t> batches;
      std::int64_t part = 1;
      for (std::int64_t batch = extent.first_batch; batch < extent.first_batch + extent.batches(); ++batch) {
        const std::int64_t of = extents.part_of(BatchNumber{batch}, parts).value;
        ASSERT_GE(of, part) << "a run, in order";
        ASSERT_LE(of, parts);
        part = of;
        ++batches[of];
      }
      for (const auto& [number, count] : batches) {
        EXPECT_GE(count, extent.batches() / parts) << number;
        EXPECT_LE(count, (extent.batches() + parts - 1) / parts) << number;
      }
      EXPECT_EQ(static_cast<std::int64_t>(batches.size()), std::min(parts, extent.batches()));
    }
  }
}

TEST(Extents, EveryRecordIsInExactlyOneBatch) {
  CounterRandom random(5, 0, stream_of("extents"));
  for (int round = 0; round < 200; ++round) {
    Extents extents =
        Extents::of(static_cast<std::int64_t>(1 + random.below(300)), static_cast<std::int64_t>(1 + random.below(60)));
    for (std::uint64_t i = random.below(4); i > 0; --i) {
      extents.extend_to(extents.records() + static_cast<std::int64_t>(random.below(200)),
                        static_cast<std::int64_t>(1 + random.below(60)));
    }
    std::int64_t next = 0;
    for (std::int64_t batch = 1; batch <= extents.batches(); ++batch) {
      const RecordRange range = extents.records_of(BatchNumber{batch});
      ASSERT_EQ(range.first, next);
      ASSERT_GE(range.count, 1);
      for (std::int64_t i = range.first; i < range.first + range.count; ++i) {
        ASSERT_EQ(extents.batch_of(RecordIndex{i}), BatchNumber{batch});
      }
      next += range.count;
    }
    ASSERT_EQ(next, extents.records());
    const Result<Extents> back = Extents::from_json(extents.to_json());
    ASSERT_TRUE(back);
    ASSERT_EQ(*back, extents);
  }
}

TEST(Extents, StoredOnesThatDoNotFollowOneAnotherAreCorrupt) {
  const auto read = [](std::string_view text) { return Extents::from_json(parse_json(text)->as_array()); };
  EXPECT_TRUE(read(R"([{"first_record":0,"count":120,"first_batch":1,"interval":50}])"));
  for (
      const char* text : {
          R"([1])",
          R"([{"first_record":0,"count":120,"first_batch":1}])",
          R"([{"first_record":1,"count":120,"first_batch":1,"interval":50}])",
          R"([{"first_record":0,"count":120,"first_batch":2,"interval":50}])",
          R"([{"first_record":0,"count":0,"first_batch":1,"interval":50}])",
          R"([{"first_record":0,"count":5,"first_batch":1,"interval":0}])",
          R"([{"first_record":0,"count":120,"first_batch":1,"interval":50},{"first_record":120,"count":80,"first_batch":5,"interval":50}])",
      }) {
    const Result<Extents> extents = read(text);
    ASSERT_FALSE(extents) << text;
    EXPECT_EQ(extents.error().kind, ErrorKind::corrupt);
  }
}

TEST(Extents, NoneAtAllHaveNoRecords) {
  EXPECT_EQ(Extents().records(), 0);
  EXPECT_EQ(Extents().batches(), 0);
}

TEST(BatchKey, KeysAreThoseOfTheDesign) {
  const JobId job{"qa-1"};
  EXPECT_EQ(batch_key(job, BatchNumber{1}), "jobs/qa-1/outputs/batch-0001.jsonl");
  EXPECT_EQ(batch_key(job, BatchNumber{123456}), "jobs/qa-1/outputs/batch-123456.jsonl");
  EXPECT_EQ(batch_key(job, BatchNumber{1}, 1), "jobs/qa-1/outputs/batch-0001-r1.jsonl");
  EXPECT_EQ(failures_key(job, BatchNumber{1}, AttemptNumber{3}), "jobs/qa-1/failures/batch-0001-0003.jsonl");
  EXPECT_EQ(journal_key(job, PartNumber{1}, AttemptNumber{3}), "journal/qa-1/attempt-0001-0003.jsonl");
  EXPECT_EQ(journal_prefix(job, PartNumber{2}), "journal/qa-1/attempt-0002-");
  EXPECT_EQ(checkpoint_key(job, PartNumber{1}), "jobs/qa-1/checkpoint.json");
  EXPECT_EQ(checkpoint_key(job, PartNumber{2}), "jobs/qa-1/checkpoint-0002.json");
  EXPECT_EQ(spec_key(job), "jobs/qa-1/spec.json");
}

TEST(BatchKey, KeysReadBack) {
  const JobId job{"qa-1"};
  for (std::int64_t n : {1, 9999, 10000, 200000}) {
    const BatchNumber batch{n};
    EXPECT_EQ(parse_batch_key(batch_key(job, batch))->batch, batch);
    EXPECT_EQ(parse_batch_key(batch_key(job, batch))->round, 0);
    EXPECT_EQ(parse_batch_key(batch_key(job, batch, 12))->batch, batch);
    EXPECT_EQ(parse_batch_key(batch_key(job, batch, 12))->round, 12);
    EXPECT_EQ(parse_batch_key(failures_key(job, batch, AttemptNumber{3}))->batch, batch);
    EXPECT_EQ(parse_batch_key(failures_key(job, batch, AttemptNumber{3}))->attempt, AttemptNumber{3});
  }
}

TEST(BatchKey, OtherNamesAreCorrupt) {
  for (const char* key : {"", "jobs/q/outputs/", "jobs/q/outputs/batch-.jsonl", "jobs/q/outputs/batch-0.jsonl",
                          "jobs/q/outputs/batch-0001.json", "jobs/q/outputs/batch-0001-.jsonl",
                          "jobs/q/outputs/batch-0001-r.jsonl", "jobs/q/outputs/batch-0001-r0.jsonl",
                          "jobs/q/outputs/batch-0001x2.jsonl", "jobs/q/outputs/batch-0001_0002.jsonl",
                          "jobs/q/outputs/batch--1.jsonl", "jobs/q/outputs/batch-99999999999999999999.jsonl",
                          "jobs/q/outputs/batch-0001-0002-0003.jsonl", "jobs/batch-0001.jsonl/notes.txt"}) {
    const Result<BatchObject> parsed = parse_batch_key(key);
    ASSERT_FALSE(parsed) << key;
    EXPECT_EQ(parsed.error().kind, ErrorKind::corrupt);
  }
}

}  // namespace
}  // namespace palette::job
