#include "generate/checkpoint.h"

#include "base/random.h"
#include "generate/test_support.h"

namespace palette::generate {
namespace {

Checkpoint empty_checkpoint() {
  return Checkpoint{JobId{"j"}, PartNumber{1}, 0, {}, {}, {}, {}, {}, UtcTime{1'790'000'000'000}};
}

// Small numbers, so that two of them overlap.
Checkpoint random_checkpoint(CounterRandom& random) {
  Checkpoint out = empty_checkpoint();
  out.revision = static_cast<std::int64_t>(random.below(5));
  out.started_at.unix_ms += static_cast<std::int64_t>(random.below(5));
  for (std::uint64_t i = random.below(8); i > 0; --i)
    out.completed.add(static_cast<std::int64_t>(1 + random.below(12)));
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    const auto batch = static_cast<std::int64_t>(1 + random.below(12));
    out.failed[batch][static_cast<std::int64_t>(random.below(3))] = static_cast<std::int64_t>(random.below(5));
  }
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    const auto attempt = static_cast<std::int64_t>(1 + random.below(3));
    const std::string name = random.below(2) == 0 ? "haiku" : "nova \"x\"";
    auto& kind = random.below(2) == 0 ? out.usage : random.below(2) == 0 ? out.steps : out.waste;
    ModelUsage& used = kind[attempt][name];
    used.calls = static_cast<std::int64_t>(random.below(9));
    used.usage = {static_cast<std::int64_t>(random.below(99)), static_cast<std::int64_t>(random.below(99)),
                  static_cast<std::int64_t>(random.below(3)), static_cast<std::int64_t>(random.below(3))};
    used.cost = Money{static_cast<std::int64_t>(random.below(1'000'000'000'000'000))};
  }
  return out;
}

constexpr int kCases = 3000;

TEST(Checkpoint, JoinIsCommutative) {
  CounterRandom random(7, 1, 0);
  for (int i = 0; i < kCases; ++i) {
    const Checkpoint a = random_checkpoint(random), b = random_checkpoint(random);
    ASSERT_EQ(Checkpoint::join(a, b), Checkpoint::join(b, a)) << "case " << i;
  }
}

TEST(Checkpoint, JoinIsAssociative) {
  CounterRandom random(7, 2, 0);
  for (int i = 0; i < kCases; ++i) {
    const Checkpoint a = random_checkpoint(random), b = random_checkpoint(random), c = random_checkpoint(random);
    ASSERT_EQ(Checkpoint::join(Checkpoint::join(a, b), c), Checkpoint::join(a, Checkpoint::join(b, c))) << "case " << i;
  }
}

TEST(Checkpoint, JoinIsIdempotentAndHoldsBoth) {
  CounterRandom random(7, 3, 0);
  for (int i = 0; i < kCases; ++i) {
    const Checkpoint a = random_checkpoint(random), b = random_checkpoint(random);
    ASSERT_EQ(Checkpoint::join(a, a), a) << "case " << i;
    const Checkpoint both = Checkpoint::join(a, b);
    ASSERT_EQ(Checkpoint::join(both, a), both) << "case " << i;
    ASSERT_EQ(Checkpoint::join(both, b), both) << "case " << i;
  }
}

TEST(Checkpoint, TextGivesBackEverything) {
  CounterRandom random(7, 4, 0);
  for (int i = 0; i < kCases; ++i) {
    const Checkpoint a = random_checkpoint(random);
    const Result<Checkpoint> b = Checkpoint::from_text(a.to_text(job::Extents::of(600, 50), 1, UtcTime{}));
    ASSERT_TRUE(b) << error_text(b);
    ASSERT_EQ(*b, a) << "case " << i;
  }
}

TEST(Checkpoint, JoinTakesTheGreatestFigureOfEachAttempt) {
  Checkpoint a = empty_checkpoint(), b = a;
  a.usage[1]["m"] = {3, {30, 5}, Money{7}};
  a.usage[2]["m"] = {1, {1, 1}, Money{1}};
  b.usage[1]["m"] = {2, {40, 4}, Money{8}};
  b.usage[1]["n"] = {9, {9, 9}, Money{9}};
  const Checkpoint both = Checkpoint::join(a, b);
  EXPECT_EQ(both.usage.at(1).at("m"), (ModelUsage{3, {40, 5}, Money{8}}));
  EXPECT_EQ(both.usage.at(1).at("n"), (ModelUsage{9, {9, 9}, Money{9}}));
  EXPECT_EQ(both.usage.at(2).at("m"), (ModelUsage{1, {1, 1}, Money{1}}));
  EXPECT_EQ(both.usage_total().at("m"), (ModelUsage{4, {41, 6}, Money{9}}));
}

TEST(BatchSet, IsASetOfRanges) {
  CounterRandom random(7, 5, 0);
  for (int round = 0; round < 300; ++round) {
    BatchSet ranges;
    std::set<std::int64_t> plain;
    for (int i = 0; i < 40; ++i) {
      const auto batch = static_cast<std::int64_t>(1 + random.below(50));
      ranges.add(batch);
      plain.insert(batch);
      ASSERT_EQ(ranges.size(), static_cast<std::int64_t>(plain.size()));
    }
    for (std::int64_t batch = 0; batch <= 52; ++batch) {
      ASSERT_EQ(ranges.contains(batch), plain.contains(batch)) << batch;
      std::int64_t last = batch - 1;
      while (plain.contains(last + 1)) ++last;
      ASSERT_EQ(ranges.contiguous_from(batch), last) << batch;
    }
    // Ranges neither touch nor overlap.
    std::int64_t before = -1;
    for (const auto& [first, last] : ranges.ranges()) {
      ASSERT_LE(first, last);
      ASSERT_GT(first, before + 1);
      before = last;
    }
  }
}

TEST(Checkpoint, DerivedFigures) {
  const job::Extents extents = job::Extents::of(120, 50);  // 50, 50, 20
  Checkpoint c = empty_checkpoint();
  c.completed.add(1);
  c.completed.add(3);
  c.failed[1] = {{0, 5}, {1, 2}};  // three were made good
  c.failed[2][0] = 9;              // not committed: does not count
  c.usage[1]["m"] = {2, {100, 20}, Money{1'500'000'000'000}};
  c.usage[2]["n"] = {1, {10, 2}, Money{1}};
  c.steps[1]["q"] = {2, {100, 20, 7, 0}, Money{1'500'000'000'000}};
  c.waste[2]["m"] = {1, {1, 1}, Money{250'000'000'000}};
  EXPECT_EQ(c.records_failed(), 2);
  EXPECT_EQ(c.records_generated(extents), 68);
  EXPECT_EQ(c.to_text(extents, 1, UtcTime{1'790'000'000'000}),
            "{\"job_id\":\"j\",\"part\":1,\"revision\":0,\"completed_batches\":[[1,1],[3,3]],"
            "\"failed\":{\"1\":5,\"1-r1\":2,\"2\":9},"
            "\"usage\":{\"1\":{\"m\":{\"calls\":2,\"input_tokens\":100,\"output_tokens\":20,\"cost_usd\":\"1.5\"}},"
            "\"2\":{\"n\":{\"calls\":1,\"input_tokens\":10,\"output_tokens\":2,\"cost_usd\":\"0.000000000001\"}}},"
            "\"steps\":{\"1\":{\"q\":{\"calls\":2,\"input_tokens\":100,\"output_tokens\":20,"
            "\"cache_read_tokens\":7,\"cost_usd\":\"1.5\"}}},"
            "\"waste\":{\"2\":{\"m\":{\"calls\":1,\"input_tokens\":1,\"output_tokens\":1,\"cost_usd\":\"0.25\"}}},"
            "\"started_at\":\"2026-09-21T14:13:20.000Z\",\"records_generated\":68,\"records_failed\":2,"
            "\"current_batch\":2,\"tokens_used\":132,\"cost_accumulated\":\"1.750000000001\","
            "\"last_updated\":\"2026-09-21T14:13:20.000Z\",\"completed\":false}\n");
  c.completed.add(2);
  EXPECT_THAT(c.to_text(extents, 1, UtcTime{}), ::testing::HasSubstr("\"current_batch\":3,"));
  EXPECT_THAT(c.to_text(extents, 1, UtcTime{}), ::testing::HasSubstr("\"completed\":true"));
}

// DESIGN.md section 6: nothing reads an error as an empty start.
TEST(Promise6, ABrokenCheckpointIsCorrupt) {
  const std::string good =
      R"({"job_id":"j","part":1,"revision":2,"completed_batches":[[1,2]],"failed":{"1":1,"1-r1":0},)"
      R"("usage":{"1":{"m":{"calls":1,"input_tokens":1,"output_tokens":1,"cost_usd":"0.1"}}},"steps":{},"waste":{},)"
      R"("started_at":"2026-11-23T10:00:00.000Z"})";
  ASSERT_TRUE(Checkpoint::from_text(good)) << error_text(Checkpoint::from_text(good));
  const std::pair<std::string, std::string> edits[] = {
      {"\"job_id\":\"j\"", "\"job_id\":7"},
      {"\"job_id\":\"j\",", ""},
      {"\"part\":1", "\"part\":\"1\""},
      {"\"part\":1,", ""},
      {"\"revision\":2", "\"revision\":2.5"},
      {"\"revision\":2,", ""},
      {"[[1,2]]", "{}"},
      {"\"completed_batches\":[[1,2]],", ""},
      {"[[1,2]]", "[[1]]"},
      {"[[1,2]]", "[[1,2,3]]"},
      {"[[1,2]]", "[1,2]"},
      {"[[1,2]]", "[[\"1\",2]]"},
      {"[[1,2]]", "[[2,1]]"},
      {"[[1,2]]", "[[0,1]]"},
      {"[[1,2]]", "[[1,99999999999]]"},
      {"\"failed\":{\"1\":1,\"1-r1\":0},", ""},
      {"{\"1\":1,\"1-r1\":0}", "[]"},
      {"\"1-r1\":0", "\"1-rx\":0"},
      {"\"1-r1\":0", "\"one\":0"},
      {"\"1-r1\":0", "\"-r1\":0"},
      {"\"1-r1\":0", "\"1-r1\":\"0\""},
      {"\"usage\":{\"1\":", "\"usage\":{\"x\":"},
      {"\"usage\":{", "\"used\":{"},
      {"\"steps\":{}", "\"steps\":[]"},
      {"\"waste\":{},", ""},
      {"{\"m\":{\"calls\":1,\"input_tokens\":1,\"output_tokens\":1,\"cost_usd\":\"0.1\"}}", "7"},
      {"{\"calls\":1,\"input_tokens\":1,\"output_tokens\":1,\"cost_usd\":\"0.1\"}", "7"},
      {"\"calls\":1,", ""},
      {"\"input_tokens\":1", "\"input_tokens\":\"1\""},
      {"\"output_tokens\":1,", ""},
      {"\"cost_usd\":\"0.1\"", "\"cost_usd\":\"much\""},
      {"\"cost_usd\":\"0.1\"", "\"cost_usd\":0.1"},
      {"2026-11-23T10:00:00.000Z", "yesterday"},
  };
  for (const auto& [from, to] : edits) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    const Result<Checkpoint> read = Checkpoint::from_text(text);
    ASSERT_FALSE(read) << from << " -> " << to;
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt) << to;
    EXPECT_THAT(read.error().message, ::testing::StartsWith("the checkpoint cannot be read: ")) << to;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {  // cut anywhere
    EXPECT_FALSE(Checkpoint::from_text(good.substr(0, size))) << size;
  }
  EXPECT_EQ(Checkpoint::from_text("[]").error().kind, ErrorKind::corrupt);
}

// --- What is stored

struct StoredCheckpoint : ::testing::Test {
  TestFolder folder;
  async::BlockingPool pool{4};
  store::FileObjectStore files{folder / "objects", pool};
  WatchedStore watched{files};
  store::ObjectStore& objects = watched;
  job::Extents extents = job::Extents::of(500, 50);

  Result<Checkpoint> save(const Checkpoint& mine, const std::string& etag = "") {
    auto saved = await(save_checkpoint(objects, {mine, etag}, extents, 1, UtcTime{1'790'000'000'000}));
    if (!saved) return std::unexpected(saved.error());
    etag_of_saved = saved->etag;
    return std::move(saved->checkpoint);
  }
  std::string etag_of_saved;
  std::optional<Checkpoint> load() {
    const auto loaded = await(load_checkpoint(objects, JobId{"j"}, PartNumber{1}));
    EXPECT_TRUE(loaded) << error_text(loaded);
    return loaded.value_or(std::nullopt);
  }
};

TEST_F(StoredCheckpoint, APartThatNeverSavedHasNone) { EXPECT_EQ(load(), std::nullopt); }

TEST_F(StoredCheckpoint, SavingGivesWhatStandsNow) {
  Checkpoint mine = empty_checkpoint();
  mine.completed.add(3);
  const Result<Checkpoint> saved = save(mine);
  ASSERT_TRUE(saved) << error_text(saved);
  EXPECT_EQ(saved->revision, 1);
  EXPECT_EQ(load(), *saved);
  EXPECT_EQ(watched.puts, std::vector<std::string>{"jobs/j/checkpoint.json"});
}

TEST_F(StoredCheckpoint, SavingJoinsWithWhatIsStored) {
  Checkpoint mine = empty_checkpoint(), theirs = mine;
  mine.completed.add(1);
  mine.usage[1]["m"] = {1, {1, 1}, Money{1}};
  theirs.completed.add(2);
  theirs.usage[2]["m"] = {2, {2, 2}, Money{2}};
  ASSERT_TRUE(save(theirs));
  const Result<Checkpoint> saved = save(mine);
  ASSERT_TRUE(saved) << error_text(saved);
  EXPECT_EQ(saved->completed.size(), 2);
  EXPECT_EQ(saved->usage.size(), 2u);
  EXPECT_EQ(saved->revision, 2);
  EXPECT_EQ(load(), *saved);
}

// `revision` makes every body different: two puts of the same content never have the same ETag.
TEST_F(StoredCheckpoint, SavingTheSameAgainWritesAnotherBody) {
  const Checkpoint mine = empty_checkpoint();
  ASSERT_TRUE(save(mine));
  const std::string first = await(objects.get("jobs/j/checkpoint.json"))->body;
  ASSERT_TRUE(save(mine));
  EXPECT_NE(await(objects.get("jobs/j/checkpoint.json"))->body, first);
}

TEST_F(StoredCheckpoint, WhatThisSaverSavedLastIsNotReadAgain) {
  Checkpoint mine = empty_checkpoint();
  ASSERT_TRUE(save(mine));
  const std::string known = etag_of_saved;
  const std::size_t reads = watched.gets.size();
  mine.completed.add(1);
  mine.revision = 1;
  ASSERT_TRUE(save(mine, known));
  EXPECT_EQ(watched.gets.size(), reads);
  EXPECT_NE(etag_of_saved, known);
  // Overtaken by somebody who knows another batch: read, and joined.
  Checkpoint theirs = empty_checkpoint();
  theirs.completed.add(2);
  const std::string overtaken = etag_of_saved;
  ASSERT_TRUE(save(theirs));
  ASSERT_TRUE(save(mine, overtaken));
  EXPECT_EQ(load()->completed.size(), 2);
}

TEST_F(StoredCheckpoint, ASaverWhoWasOvertakenJoinsAgain) {
  Checkpoint mine = empty_checkpoint(), theirs = mine;
  mine.completed.add(1);
  theirs.completed.add(2);
  int races = 0;
  watched.before_put = [&](const std::string& key) -> Status {
    if (races++ > 0) return {};
    // Between our read and our put: written as a file, because we are on the loop.
    std::filesystem::create_directories(std::filesystem::path(files.location(key)).parent_path());
    std::ofstream(files.location(key)) << theirs.to_text(extents, 1, UtcTime{});
    return {};
  };
  const Result<Checkpoint> saved = save(mine);
  ASSERT_TRUE(saved) << error_text(saved);
  EXPECT_EQ(races, 2);
  EXPECT_EQ(load()->completed.size(), 2);
}

TEST_F(StoredCheckpoint, ManySaversLoseNothing) {
  std::vector<async::Task<Result<SavedCheckpoint>>> tasks;
  for (std::int64_t attempt = 1; attempt <= 8; ++attempt) {
    Checkpoint mine = empty_checkpoint();
    mine.completed.add(attempt);
    mine.usage[attempt]["m"] = {attempt, {attempt, attempt}, Money{attempt}};
    tasks.push_back(save_checkpoint(objects, {mine}, extents, 1, UtcTime{}));
  }
  for (const Result<SavedCheckpoint>& saved : await(contract::all_of(std::move(tasks))))
    EXPECT_TRUE(saved) << error_text(saved);
  const Checkpoint stands = *load();
  EXPECT_EQ(stands.completed.size(), 8);
  EXPECT_EQ(stands.usage_total().at("m"), (ModelUsage{36, {36, 36}, Money{36}}));
}

TEST_F(StoredCheckpoint, OnlyRacesAreTriedAgainAndNotForEver) {
  int tries = 0;
  ErrorKind kind = ErrorKind::conflict;
  watched.before_put = [&](const std::string&) -> Status {
    ++tries;
    return fail(kind, "told to");
  };
  EXPECT_EQ(save(empty_checkpoint()).error().kind, ErrorKind::conflict);
  EXPECT_EQ(tries, 20);
  kind = ErrorKind::io;
  tries = 0;
  EXPECT_EQ(save(empty_checkpoint()).error().kind, ErrorKind::io);
  EXPECT_EQ(tries, 1);
}

TEST_F(StoredCheckpoint, Promise6_ABrokenOneIsNeitherReadNorWrittenOver) {
  ASSERT_TRUE(await(objects.put("jobs/j/checkpoint.json", "{\"job_id\":")));
  const auto loaded = await(load_checkpoint(objects, JobId{"j"}, PartNumber{1}));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(loaded.error().where, objects.location("jobs/j/checkpoint.json"));
  EXPECT_EQ(save(empty_checkpoint()).error().kind, ErrorKind::corrupt);
  EXPECT_EQ(await(objects.get("jobs/j/checkpoint.json"))->body, "{\"job_id\":");
}

}  // namespace
}  // namespace palette::generate
