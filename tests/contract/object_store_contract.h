// What every ObjectStore must do. An implementation runs it so:
//
//   struct FileStore {                                    // a new, empty store for each test
//     explicit FileStore(async::BlockingPool& pool);
//     ObjectStore& store();
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectStoreContract, FileStore);
//
// A store behind a network that loses answers says so: `static constexpr bool kLosesAnswers = true;`. There a put whose
// answer was lost, and whose object another has replaced before it could be looked at, is `changed` though it took
// effect for a while. Nothing else is taken more easily of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "async/blocking.h"
#include "base/ids.h"
#include "contract/await.h"
#include "store/object_store.h"

namespace palette::contract {

template <class Factory>
inline constexpr bool kMayLoseAnswers = requires { requires Factory::kLosesAnswers; };

template <class Factory>
class ObjectStoreContract : public ::testing::Test {
 protected:
  using PutResult = Result<std::string>;

  store::ObjectStore& store() { return factory_.store(); }

  PutResult put(std::string key, std::string body, store::PutCondition condition = {}) {
    return await(store().put(std::move(key), std::move(body), std::move(condition)));
  }
  std::string body_of(const std::string& key) {
    const Result<store::Object> object = await(store().get(key));
    return object ? object->body : error_text(object);
  }
  std::vector<std::string> keys(std::string prefix, std::string start_after = {}) {
    const auto listed = await(store::list_all(store(), std::move(prefix), std::move(start_after)));
    EXPECT_TRUE(listed) << error_text(listed);
    std::vector<std::string> names;
    for (const store::ObjectInfo& info : listed.value_or(std::vector<store::ObjectInfo>{})) names.push_back(info.key);
    return names;
  }
  std::filesystem::path new_file(std::string_view content) {
    const auto path = std::filesystem::temp_directory_path() / ("palette-contract-" + random_hex_id());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  // The outcomes of puts that run at once: how many won, and how many gave an error of each kind that may be.
  int winners(const std::vector<PutResult>& results, ErrorKind loser) {
    int won = 0;
    for (const PutResult& result : results) {
      if (result) ++won;
      if (!result) EXPECT_EQ(result.error().kind, loser) << error_text(result);
    }
    return won;
  }

 private:
  async::BlockingPool pool_{8};
  Factory factory_{pool_};
};

TYPED_TEST_SUITE_P(ObjectStoreContract);

TYPED_TEST_P(ObjectStoreContract, GivesBackWhatWasPut) {
  const std::string body("line\n\0\xff\r\n", 9);
  const Result<std::string> etag = this->put("jobs/a/spec.json", body);
  ASSERT_TRUE(etag) << error_text(etag);
  const Result<store::Object> object = await(this->store().get("jobs/a/spec.json"));
  ASSERT_TRUE(object) << error_text(object);
  EXPECT_EQ(object->body, body);
  EXPECT_EQ(object->etag, *etag);
  const Result<store::ObjectInfo> head = await(this->store().head("jobs/a/spec.json"));
  ASSERT_TRUE(head) << error_text(head);
  EXPECT_EQ(head->key, "jobs/a/spec.json");
  EXPECT_EQ(head->size, body.size());
  EXPECT_EQ(head->etag, *etag);
}

TYPED_TEST_P(ObjectStoreContract, AnEmptyObjectIsAnObject) {
  ASSERT_TRUE(this->put("empty", ""));
  const Result<store::Object> object = await(this->store().get("empty"));
  ASSERT_TRUE(object) << error_text(object);
  EXPECT_EQ(object->body, "");
  EXPECT_THAT(this->keys(""), ::testing::ElementsAre("empty"));
}

TYPED_TEST_P(ObjectStoreContract, WhatIsNotThereIsNotFound) {
  ASSERT_TRUE(this->put("folder/object", "x"));
  for (const char* key : {"absent", "folder", "folder/absent", "folder/object/below"}) {
    EXPECT_EQ(await(this->store().get(key)).error().kind, ErrorKind::not_found) << key;
    EXPECT_EQ(await(this->store().get_range(key, 0, 1)).error().kind, ErrorKind::not_found) << key;
    EXPECT_EQ(await(this->store().head(key)).error().kind, ErrorKind::not_found) << key;
    EXPECT_TRUE(await(this->store().remove(key))) << key;
  }
  EXPECT_EQ(this->body_of("folder/object"), "x");
}

TYPED_TEST_P(ObjectStoreContract, APutReplacesAndChangesTheETag) {
  const auto first = this->put("k", "one"), second = this->put("k", "two");
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(this->body_of("k"), "two");
}

TYPED_TEST_P(ObjectStoreContract, RangesAreCutAtTheEnd) {
  ASSERT_TRUE(this->put("k", "0123456789"));
  EXPECT_EQ(await(this->store().get_range("k", 0, 4)).value(), "0123");
  EXPECT_EQ(await(this->store().get_range("k", 8, 100)).value(), "89");
  EXPECT_EQ(await(this->store().get_range("k", 8, UINT64_MAX)).value(), "89");
  EXPECT_EQ(await(this->store().get_range("k", 10, 5)).value(), "");
  EXPECT_EQ(await(this->store().get_range("k", 3, 0)).value(), "");
}

TYPED_TEST_P(ObjectStoreContract, RangesAreOfTheVersionThatIsNamed) {
  const auto first = this->put("k", "0123456789");
  ASSERT_TRUE(first);
  EXPECT_EQ(await(this->store().get_range("k", 2, 3, *first)).value(), "234");
  const auto second = this->put("k", "abcdefghij");
  ASSERT_TRUE(second);
  EXPECT_EQ(await(this->store().get_range("k", 2, 3, *first)).error().kind, ErrorKind::changed);
  EXPECT_EQ(await(this->store().get_range("k", 2, 0, *first)).error().kind, ErrorKind::changed);
  EXPECT_EQ(await(this->store().get_range("k", 2, 3, *second)).value(), "cde");
  EXPECT_EQ(await(this->store().get_range("absent", 2, 3, *second)).error().kind, ErrorKind::not_found);
}

TYPED_TEST_P(ObjectStoreContract, PutIfAbsentKeepsWhatIsThere) {
  ASSERT_TRUE(this->put("k", "first", {.if_absent = true}));
  EXPECT_EQ(this->put("k", "second", {.if_absent = true}).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(this->put("k", "first", {.if_absent = true}).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(this->body_of("k"), "first");
  ASSERT_TRUE(await(this->store().remove("k")));
  EXPECT_TRUE(this->put("k", "third", {.if_absent = true}));
}

TYPED_TEST_P(ObjectStoreContract, PutIfMatchReplacesOnlyThatVersion) {
  const auto first = this->put("k", "one");
  ASSERT_TRUE(first);
  const auto second = this->put("k", "two", {.if_match = *first});
  ASSERT_TRUE(second) << error_text(second);
  EXPECT_EQ(this->put("k", "three", {.if_match = *first}).error().kind, ErrorKind::changed);
  EXPECT_EQ(this->body_of("k"), "two");
  EXPECT_EQ(this->put("absent", "x", {.if_match = *first}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(this->put("no/such/folder", "x", {.if_match = *first}).error().kind, ErrorKind::not_found);
}

TYPED_TEST_P(ObjectStoreContract, BothConditionsAtOnceAreRefused) {
  EXPECT_EQ(this->put("k", "x", {.if_absent = true, .if_match = "e"}).error().kind, ErrorKind::bad_input);
}

// DESIGN.md section 6, promise 1.
TYPED_TEST_P(ObjectStoreContract, OfManyPutsIfAbsentOneWins) {
  for (int round = 0; round < 20; ++round) {
    const std::string key = "race/" + std::to_string(round) + "/batch";
    std::vector<async::Task<Result<std::string>>> puts;
    for (int i = 0; i < 32; ++i) puts.push_back(this->store().put(key, std::to_string(i), {.if_absent = true}));
    const auto results = await(all_of(std::move(puts)));
    ASSERT_EQ(this->winners(results, ErrorKind::already_exists), 1);
    const auto winner = std::ranges::find_if(results, [](const auto& result) { return result.has_value(); });
    EXPECT_EQ(this->body_of(key), std::to_string(winner - results.begin()));
  }
}

TYPED_TEST_P(ObjectStoreContract, OfManyPutsIfMatchOneWins) {
  Result<std::string> etag = this->put("k", "start");
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(etag) << error_text(etag);
    std::vector<async::Task<Result<std::string>>> puts;
    for (int i = 0; i < 16; ++i) {
      puts.push_back(this->store().put("k", std::to_string(round) + "-" + std::to_string(i), {.if_match = *etag}));
    }
    const auto results = await(all_of(std::move(puts)));
    ASSERT_EQ(this->winners(results, ErrorKind::changed), 1);
    etag = *std::ranges::find_if(results, [](const auto& result) { return result.has_value(); });
  }
}

inline async::Task<Status> count_up(store::ObjectStore* store, int times) {
  for (int done = 0; done < times;) {
    const Result<store::Object> read = co_await store->get("counter");
    if (!read) co_return std::unexpected(read.error());
    const Result<std::string> put =
        co_await store->put("counter", std::to_string(std::stoi(read->body) + 1), {.if_match = read->etag});
    if (put) ++done;
    if (!put && put.error().kind != ErrorKind::changed && put.error().kind != ErrorKind::conflict) {
      co_return std::unexpected(put.error());
    }
  }
  co_return Status{};
}

TYPED_TEST_P(ObjectStoreContract, ReadingAndPuttingIfMatchLosesNothing) {
  ASSERT_TRUE(this->put("counter", "0"));
  std::vector<async::Task<Status>> counters;
  for (int i = 0; i < 4; ++i) counters.push_back(count_up(&this->store(), 10));
  for (const Status& done : await(all_of(std::move(counters)))) EXPECT_TRUE(done) << error_text(done);
  if constexpr (kMayLoseAnswers<TypeParam>) {
    EXPECT_GE(std::stoi(this->body_of("counter")), 40) << "what is told as changed may count twice, but none is lost";
  } else {
    EXPECT_EQ(this->body_of("counter"), "40");
  }
}

// As a checkpoint is saved: read, join with what is our own, put if it is still the same version.
inline async::Task<Status> leave_marks(store::ObjectStore* store, std::string who, int marks) {
  for (int i = 0; i < marks;) {
    const std::string mark = who + "-" + std::to_string(i) + "\n";
    const Result<store::Object> read = co_await store->get("marks");
    if (!read) co_return std::unexpected(read.error());
    if (read->body.find(mark) != std::string::npos) {
      ++i;
      continue;
    }
    const Result<std::string> put = co_await store->put("marks", read->body + mark, {.if_match = read->etag});
    if (!put && put.error().kind != ErrorKind::changed && put.error().kind != ErrorKind::conflict) {
      co_return std::unexpected(put.error());
    }
  }
  co_return Status{};
}

TYPED_TEST_P(ObjectStoreContract, WhatIsJoinedAndPutIfMatchIsThereOnce) {
  ASSERT_TRUE(this->put("marks", ""));
  std::vector<async::Task<Status>> writers;
  for (const char* who : {"a", "b", "c", "d"}) writers.push_back(leave_marks(&this->store(), who, 10));
  for (const Status& done : await(all_of(std::move(writers)))) EXPECT_TRUE(done) << error_text(done);
  const std::string body = this->body_of("marks");
  EXPECT_EQ(std::ranges::count(body, '\n'), 40) << body;
  for (const char* who : {"a", "b", "c", "d"}) {
    for (int i = 0; i < 10; ++i) {
      EXPECT_NE(body.find(who + ("-" + std::to_string(i)) + "\n"), std::string::npos) << who << i;
    }
  }
}

inline async::Task<Result<std::string>> body_or_error(store::ObjectStore* store, std::string key) {
  const Result<store::Object> object = co_await store->get(std::move(key));
  if (!object) co_return std::unexpected(object.error());
  co_return object->body;
}

TYPED_TEST_P(ObjectStoreContract, AReaderSeesAWholeObject) {
  const std::string one(100'000, 'a'), two(150'000, 'b');
  ASSERT_TRUE(this->put("k", one));
  std::vector<async::Task<Result<std::string>>> tasks;
  for (int i = 0; i < 40; ++i) {
    tasks.push_back(i % 4 == 0 ? this->store().put("k", i % 8 ? one : two) : body_or_error(&this->store(), "k"));
  }
  const auto results = await(all_of(std::move(tasks)));
  for (std::size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i]) << error_text(results[i]);
    if (i % 4 != 0) EXPECT_TRUE(*results[i] == one || *results[i] == two);
  }
}

TYPED_TEST_P(ObjectStoreContract, PutFileMovesTheFileIn) {
  const auto path = this->new_file("content");
  const Result<std::string> etag = await(this->store().put_file("exports/dataset.jsonl", path));
  ASSERT_TRUE(etag) << error_text(etag);
  EXPECT_FALSE(std::filesystem::exists(path));
  const Result<store::Object> object = await(this->store().get("exports/dataset.jsonl"));
  ASSERT_TRUE(object) << error_text(object);
  EXPECT_EQ(object->body, "content");
  EXPECT_EQ(object->etag, *etag);
}

TYPED_TEST_P(ObjectStoreContract, PutFileObeysItsCondition) {
  const auto etag = this->put("k", "first");
  ASSERT_TRUE(etag);
  EXPECT_EQ(await(this->store().put_file("k", this->new_file("x"), {.if_absent = true})).error().kind,
            ErrorKind::already_exists);
  EXPECT_EQ(await(this->store().put_file("k", this->new_file("x"), {.if_match = "other"})).error().kind,
            ErrorKind::changed);
  EXPECT_EQ(this->body_of("k"), "first");
  EXPECT_TRUE(await(this->store().put_file("k", this->new_file("second"), {.if_match = *etag})));
  EXPECT_EQ(this->body_of("k"), "second");
  EXPECT_EQ(await(this->store().put_file("k", "/no/such/file")).error().kind, ErrorKind::not_found);
}

TYPED_TEST_P(ObjectStoreContract, AWriterPutsItsPiecesAsOneObjectAtTheEnd) {
  ASSERT_TRUE(this->put("journal/a", "before"));
  auto writer = await(this->store().open_put("journal/a"));
  ASSERT_TRUE(writer) << error_text(writer);
  for (const char* piece : {"one\n", "", "two\n"}) ASSERT_TRUE(await((*writer)->append(piece)));
  EXPECT_EQ(this->body_of("journal/a"), "before") << "not before the commit";
  const Result<std::string> etag = await((*writer)->commit());
  ASSERT_TRUE(etag) << error_text(etag);
  EXPECT_EQ(this->body_of("journal/a"), "one\ntwo\n");
  EXPECT_EQ(await(this->store().head("journal/a")).value().etag, *etag);
  EXPECT_EQ(this->keys(""), std::vector<std::string>{"journal/a"});
}

TYPED_TEST_P(ObjectStoreContract, AWriterThatIsGivenUpLeavesNothing) {
  auto writer = await(this->store().open_put("journal/a"));
  ASSERT_TRUE(writer) << error_text(writer);
  ASSERT_TRUE(await((*writer)->append("half")));
  writer->reset();
  EXPECT_THAT(this->keys(""), ::testing::IsEmpty());
  EXPECT_EQ(await(this->store().get("journal/a")).error().kind, ErrorKind::not_found);
}

TYPED_TEST_P(ObjectStoreContract, ARemovedObjectIsGone) {
  ASSERT_TRUE(this->put("a/b/c", "x"));
  ASSERT_TRUE(await(this->store().remove("a/b/c")));
  EXPECT_EQ(await(this->store().get("a/b/c")).error().kind, ErrorKind::not_found);
  EXPECT_THAT(this->keys(""), ::testing::IsEmpty());
  EXPECT_TRUE(await(this->store().remove("a/b/c")));
}

TYPED_TEST_P(ObjectStoreContract, ListsInByteOrderOfTheWholeKeys) {
  // '-' < '.' < '/' < '0' < 'a' < the bytes of non-ASCII letters.
  const std::vector<std::string> wanted = {"a-b",   "a.x",    "a/b", "a/b.c",    "a/b0/x", "a0", "ab",
                                           "ab-/x", "ab.x/y", "ab0", "ac/c/d/e", "b",      "é/ü"};
  std::vector<std::string> shuffled = wanted;
  std::ranges::shuffle(shuffled, std::mt19937(7));
  for (const std::string& key : shuffled) ASSERT_TRUE(this->put(key, key));
  EXPECT_EQ(this->keys(""), wanted);
}

// Every prefix and every start of a set of keys, against the definition.
TYPED_TEST_P(ObjectStoreContract, ListsByPrefixAndStart) {
  const std::vector<std::string> all = {"a-b", "a.x", "a/b", "a/c-1", "a/c.1", "a/c/d", "a/c0", "a0", "ab/c", "b"};
  for (const std::string& key : all) ASSERT_TRUE(this->put(key, "x"));
  const std::vector<std::string> probes = {
      "",    "a",  "a-",  "a.", "a/", "a/b", "a/c", "a/c/", "a/c/d", "a/c/e",   "a/c0",  "a/zz/", "a0",
      "a0/", "ab", "ab/", "b",  "b/", "c",   "A",   "a/b/", "a/bb",  "a/c-1/x", "a.x.y", "ab/c/d"};
  for (const std::string& prefix : probes) {
    for (const std::string& start : probes) {
      std::vector<std::string> expected;
      for (const std::string& key : all) {
        if (key.starts_with(prefix) && key > start) expected.push_back(key);
      }
      EXPECT_EQ(this->keys(prefix, start), expected) << "prefix '" << prefix << "', start '" << start << "'";
    }
  }
}

TYPED_TEST_P(ObjectStoreContract, PagesJoinToTheWholeListing) {
  std::vector<std::string> all;
  for (int folder = 0; folder < 4; ++folder) {
    for (int i = 0; i < 5; ++i) all.push_back("p/" + std::to_string(folder) + "/" + std::to_string(i));
  }
  for (const std::string& key : all) ASSERT_TRUE(this->put(key, "xyz"));
  for (std::size_t limit = 1; limit <= 21; ++limit) {
    std::vector<std::string> got;
    for (bool more = true; more;) {
      const Result<store::ListPage> page = await(this->store().list("p/", got.empty() ? "" : got.back(), limit));
      ASSERT_TRUE(page) << error_text(page);
      ASSERT_LE(page->objects.size(), limit);
      for (const store::ObjectInfo& info : page->objects) {
        got.push_back(info.key);
        EXPECT_EQ(info.size, 3u);
      }
      more = page->more;
      ASSERT_EQ(more, got.size() < all.size()) << "limit " << limit;
    }
    EXPECT_EQ(got, all) << "limit " << limit;
  }
}

TYPED_TEST_P(ObjectStoreContract, APageHasAtMostAThousandKeys) {
  std::vector<async::Task<Result<std::string>>> puts;
  for (int i = 0; i < 1'001; ++i) puts.push_back(this->store().put("many/" + zero_padded(i, 4), ""));
  for (const auto& put : await(all_of(std::move(puts)))) ASSERT_TRUE(put) << error_text(put);
  const Result<store::ListPage> page = await(this->store().list("many/", "", 5'000));
  ASSERT_TRUE(page) << error_text(page);
  EXPECT_EQ(page->objects.size(), 1'000u);
  EXPECT_TRUE(page->more);
  EXPECT_EQ(this->keys("many/").size(), 1'001u);
  EXPECT_EQ(await(store::list_all(this->store(), "many/", "", 1'000)).error().kind, ErrorKind::too_large);
}

TYPED_TEST_P(ObjectStoreContract, AListingSeesEveryPutThatReturned) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(this->put("seen/" + zero_padded(i, 4), "x"));
    ASSERT_EQ(this->keys("seen/").size(), static_cast<std::size_t>(i + 1));
  }
}

TYPED_TEST_P(ObjectStoreContract, RefusesKeysThatAreNone) {
  const std::string long_key = std::string(200, 'a') + "/" + std::string(200, 'b') + "/" + std::string(200, 'c') + "/" +
                               std::string(200, 'd') + "/" + std::string(225, 'e');
  const std::vector<std::string> bad = {"",
                                        "/",
                                        "/x",
                                        "x/",
                                        "../x",
                                        "x/..",
                                        "a/../../x",
                                        "a//b",
                                        "a/./b",
                                        "./a",
                                        "..",
                                        ".",
                                        "a\nb",
                                        std::string("a\0b", 3),
                                        "\xff",
                                        long_key,
                                        "//",
                                        "a/..",
                                        std::string(256, 'n'),
                                        "a/b/"};
  for (const std::string& key : bad) {
    EXPECT_EQ(this->put(key, "x").error().kind, ErrorKind::bad_input) << key;
    EXPECT_EQ(this->put(key, "x", {.if_absent = true}).error().kind, ErrorKind::bad_input) << key;
    EXPECT_EQ(await(this->store().get(key)).error().kind, ErrorKind::bad_input) << key;
    EXPECT_EQ(await(this->store().head(key)).error().kind, ErrorKind::bad_input) << key;
    EXPECT_EQ(await(this->store().remove(key)).error().kind, ErrorKind::bad_input) << key;
  }
  for (const char* prefix : {"../", "/x", "a//", "a/../"}) {
    EXPECT_EQ(await(this->store().list(prefix)).error().kind, ErrorKind::bad_input) << prefix;
  }
  EXPECT_THAT(this->keys(""), ::testing::IsEmpty());
}

TYPED_TEST_P(ObjectStoreContract, AcceptsKeysThatLookOdd) {
  for (const std::string key : {"...", "..a", "a..", "-", "~", "a b", "a%2fb", "é", "C:\\x", "a/.hidden"}) {
    EXPECT_TRUE(this->put(key, key)) << key;
    EXPECT_EQ(this->body_of(key), key);
  }
}

REGISTER_TYPED_TEST_SUITE_P(ObjectStoreContract, GivesBackWhatWasPut, AnEmptyObjectIsAnObject, WhatIsNotThereIsNotFound,
                            APutReplacesAndChangesTheETag, RangesAreCutAtTheEnd, RangesAreOfTheVersionThatIsNamed,
                            PutIfAbsentKeepsWhatIsThere, PutIfMatchReplacesOnlyThatVersion,
                            BothConditionsAtOnceAreRefused, OfManyPutsIfAbsentOneWins, OfManyPutsIfMatchOneWins,
                            ReadingAndPuttingIfMatchLosesNothing, WhatIsJoinedAndPutIfMatchIsThereOnce,
                            AReaderSeesAWholeObject, PutFileMovesTheFileIn, PutFileObeysItsCondition,
                            AWriterPutsItsPiecesAsOneObjectAtTheEnd, AWriterThatIsGivenUpLeavesNothing,
                            ARemovedObjectIsGone, ListsInByteOrderOfTheWholeKeys, ListsByPrefixAndStart,
                            PagesJoinToTheWholeListing, APageHasAtMostAThousandKeys, AListingSeesEveryPutThatReturned,
                            RefusesKeysThatAreNone, AcceptsKeysThatLookOdd);

}  // namespace palette::contract
