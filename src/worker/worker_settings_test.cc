#include "worker/worker_settings.h"

#include <gtest/gtest.h>

namespace palette::worker {
namespace {

Result<WorkerSettings> read(std::map<std::string, std::string, std::less<>> variables) {
  return worker_settings_of(aws::Environment{.variables = std::move(variables), .home = {}});
}

TEST(WorkerSettings, AreThoseOfTheDesignWhereNothingIsSaid) {
  const WorkerSettings settings = read({}).value();
  EXPECT_EQ(settings.lease_ms, 60'000);
  EXPECT_EQ(settings.flush_ms, 15'000);
  EXPECT_EQ(settings.batch_records, 50);
  EXPECT_EQ(settings.lease_margin_ms(), 5'000);
}

TEST(WorkerSettings, AreReadFromTheEnvironment) {
  const WorkerSettings settings =
      read({{"PALETTE_LEASE_S", "3"}, {"PALETTE_FLUSH_S", "0.5"}, {"CHECKPOINT_INTERVAL", "20"}}).value();
  EXPECT_EQ(settings.lease_ms, 3'000);
  EXPECT_EQ(settings.flush_ms, 500);
  EXPECT_EQ(settings.batch_records, 20);
  EXPECT_EQ(settings.lease_margin_ms(), 1'000);
}

TEST(WorkerSettings, EverythingThatIsWrongIsToldAtOnce) {
  const auto settings = read({{"PALETTE_LEASE_S", "0"}, {"PALETTE_FLUSH_S", "soon"}, {"CHECKPOINT_INTERVAL", "1.5"}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().text(),
            "environment: PALETTE_LEASE_S: found '0'; a number of 1 to 3600 is allowed; PALETTE_FLUSH_S: found 'soon'; "
            "a number of 0.1 to 600 is allowed; CHECKPOINT_INTERVAL: found '1.5'; a whole number of 1 to 10000 is "
            "allowed");
}

}  // namespace
}  // namespace palette::worker
