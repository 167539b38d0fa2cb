#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/await.h"
#include "store/job_store.h"
#include "store/object_key.h"
#include "store/object_store.h"

namespace palette::store {
namespace {

TEST(QueuePosition, SortsByPriorityThenTimeThenJobThenPart) {
  const auto make = [](int priority, std::int64_t ms, const char* job, std::int64_t part) {
    return QueuePosition::make(priority, UtcTime{ms}, JobId{job}, PartNumber{part});
  };
  EXPECT_EQ(make(5, 0, "j-1", 2).text, "0005#1970-01-01T00:00:00.000Z#j-1#0002");
  EXPECT_LT(make(9, 0, "a", 1), make(10, 0, "a", 1));
  EXPECT_LT(make(5, 999, "z", 1), make(5, 1'000, "a", 1));
  EXPECT_LT(make(5, 0, "a", 9), make(5, 0, "a", 10));
}

TEST(Queue, StatusesAndKindsHaveNames) {
  EXPECT_EQ(to_string(QueueStatus::queued), "QUEUED");
  EXPECT_EQ(to_string(QueueStatus::running), "RUNNING");
  EXPECT_EQ(to_string(QueueStatus::parked), "PARKED");
  EXPECT_EQ(to_string(WorkKind::generate), "generate");
  EXPECT_EQ(to_string(WorkKind::export_), "export");
}

TEST(ObjectKey, SaysWhatIsWrongWithAKey) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "an object key must not be empty"},
      {"/x", "the object key '/x' has an empty component (a slash at its start or end, or two in a row)"},
      {"a/../b", "the object key 'a/../b' has the component '..'"},
      {"a\tb", "the object key 'a\tb' has a control character"},
      {std::string(256, 'n'), "the object key '" + std::string(256, 'n') + "' has a component of more than 255 bytes"}};
  for (const auto& [key, message] : cases) EXPECT_EQ(check_object_key(key).error().message, message);
  EXPECT_TRUE(check_object_key("jobs/j-1/outputs/batch-0001.jsonl"));
}

TEST(ObjectKey, APrefixMayEndAnywhere) {
  for (const char* prefix : {"", "jobs/", "jobs/j", ".", "..", "jobs/."}) EXPECT_TRUE(check_object_prefix(prefix));
  for (const char* prefix : {"/", "../", "a//", "a/./b"}) EXPECT_FALSE(check_object_prefix(prefix));
}

}  // namespace
}  // namespace palette::store
