#include "aws/credential_cache.h"

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "aws/credential_chain.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

// A source that gives what it is told to, when it is told to.
struct Told {
  std::deque<Result<Credentials>> answers;  // the last one is given again and again
  int fetches = 0;
  int waiting = 0;
  bool held = false;  // fetches wait until it is false
  bool cancelled = false;
};

async::Task<Result<Credentials>> fetch_told(std::shared_ptr<Told> told) {
  ++told->fetches;
  ++told->waiting;
  while (told->held) {
    if (const Status slept = co_await async::sleep_for(1); !slept) {
      told->cancelled = true;
      co_return std::unexpected(slept.error());
    }
  }
  --told->waiting;
  Result<Credentials> answer = told->answers.front();
  if (told->answers.size() > 1) told->answers.pop_front();
  co_return answer;
}

class ToldSource final : public CredentialSource {
 public:
  explicit ToldSource(std::shared_ptr<Told> told) : told_(std::move(told)) {}
  async::Task<Result<Credentials>> fetch() override { return fetch_told(told_); }

 private:
  std::shared_ptr<Told> told_;
};

Credentials keys(std::string id, std::optional<std::int64_t> minutes_left = {}) {
  Credentials out;
  out.keys = {std::move(id), "secret", "token"};
  if (minutes_left) out.expires_at = UtcTime{kNoon.unix_ms + *minutes_left * kMinuteMs};
  out.source = "told";
  return out;
}

const Error kAway{ErrorKind::unavailable, "away"};

using Got = std::vector<Result<Credentials>>;

async::Task<void> get_into(std::shared_ptr<CredentialProvider> provider, Got* got) {
  Result<Credentials> credentials = co_await provider->get();
  got->push_back(std::move(credentials));
}

struct Cached {
  Cached() { provider = keep_fresh(std::make_unique<ToldSource>(told), clock); }

  // The access key id, or the message of the error.
  std::string get() {
    const Result<Credentials> got = loop.run(provider->get());
    return got ? got->keys.access_key_id : got.error().message;
  }
  // Lets what runs in the background come to its end.
  void settle() { EXPECT_TRUE(loop.run(async::sleep_for(5))); }

  async::EventLoop loop;
  FakeClock clock;
  std::shared_ptr<Told> told = std::make_shared<Told>();
  std::shared_ptr<CredentialProvider> provider;
};

TEST(CredentialCache, WhatDoesNotExpireIsFetchedOnce) {
  Cached cached;
  cached.told->answers = {keys("A")};
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(365LL * 24 * 60 * kMinuteMs);
  EXPECT_EQ(cached.get(), "A");
  EXPECT_EQ(cached.told->fetches, 1);
}

TEST(CredentialCache, OutsideTheWindowsNothingIsFetched) {
  Cached cached;
  cached.told->answers = {keys("A", 60), keys("B", 120)};
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(44 * kMinuteMs);
  EXPECT_EQ(cached.get(), "A");
  cached.settle();
  EXPECT_EQ(cached.told->fetches, 1);
}

TEST(CredentialCache, InTheAdvisoryWindowOneRenewsAndTheOthersGoOn) {
  Cached cached;
  cached.told->answers = {keys("A", 60), keys("B", 120)};
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(46 * kMinuteMs);
  cached.told->held = true;
  EXPECT_EQ(cached.get(), "A");
  EXPECT_EQ(cached.get(), "A");
  cached.settle();
  EXPECT_EQ(cached.told->waiting, 1);
  EXPECT_EQ(cached.get(), "A");
  cached.told->held = false;
  cached.settle();
  EXPECT_EQ(cached.get(), "B");
  EXPECT_EQ(cached.told->fetches, 2);
}

TEST(CredentialCache, AFailureInTheAdvisoryWindowIsNotedAndTriedAgainAMinuteLater) {
  Cached cached;
  cached.told->answers = {keys("A", 60), std::unexpected(kAway), keys("B", 120)};
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(46 * kMinuteMs);
  EXPECT_EQ(cached.get(), "A");
  cached.settle();
  EXPECT_EQ(cached.told->fetches, 2);
  EXPECT_EQ(cached.get(), "A");
  cached.settle();
  EXPECT_EQ(cached.told->fetches, 2) << "within a minute";
  cached.clock.advance(kBetweenRefreshes_ms);
  cached.told->held = true;
  EXPECT_EQ(cached.get(), "A");
  cached.told->held = false;
  cached.settle();
  EXPECT_EQ(cached.get(), "B");
  EXPECT_EQ(cached.told->fetches, 3);
}

TEST(CredentialCache, InTheMandatoryWindowAllWaitForTheOneRefresh) {
  Cached cached;
  cached.told->answers = {keys("A", 60), keys("B", 120)};
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(51 * kMinuteMs);
  cached.told->held = true;
  Got got;
  async::TaskGroup group(cached.loop.context().get_executor());
  for (int i = 0; i < 10; ++i) group.spawn(get_into(cached.provider, &got));
  cached.settle();
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(cached.told->fetches, 2);
  cached.told->held = false;
  cached.settle();
  ASSERT_EQ(got.size(), 10u);
  for (const Result<Credentials>& one : got) EXPECT_EQ(one->keys.access_key_id, "B");
  EXPECT_EQ(cached.told->fetches, 2);
}

TEST(CredentialCache, InTheMandatoryWindowAFailureIsAnError) {
  Cached cached;
  cached.told->answers = {keys("A", 60), std::unexpected(kAway), keys("B", 120)};
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(51 * kMinuteMs);
  EXPECT_EQ(cached.get(), "away");
  EXPECT_EQ(cached.get(), "B");
}

TEST(CredentialCache, TheFirstFetchMayFailAndTheNextGoWell) {
  Cached cached;
  cached.told->answers = {std::unexpected(kAway), keys("A")};
  EXPECT_EQ(cached.get(), "away");
  EXPECT_EQ(cached.get(), "A");
}

TEST(CredentialCache, RefreshedButExpiredIsAnError) {
  Cached cached;
  cached.told->answers = {keys("A", 0)};
  EXPECT_EQ(cached.get(),
            "it gave credentials that expired at 2026-11-24T12:00:00.000Z; renew them there, or check this machine's "
            "clock");
  EXPECT_EQ(cached.loop.run(cached.provider->get()).error().kind, ErrorKind::denied);
}

TEST(CredentialCache, ShortLivedOnesAreFetchedOnceAMinute) {
  Cached cached;
  cached.told->answers = {keys("A", 5), keys("B", 5)};
  EXPECT_EQ(cached.get(), "A");
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(kBetweenRefreshes_ms);
  EXPECT_EQ(cached.get(), "B");
  cached.clock.advance(5 * kMinuteMs);
  EXPECT_NE(cached.get(), "B") << "expired";
}

TEST(CredentialCache, ARefusalFetchesAnewAndOnlyOnce) {
  Cached cached;
  cached.told->answers = {keys("A", 600), keys("B", 600)};
  EXPECT_EQ(cached.get(), "A");
  cached.provider->expire(keys("A"));
  EXPECT_EQ(cached.get(), "B");
  cached.provider->expire(keys("A"));  // a call that was still under way with the old ones
  EXPECT_EQ(cached.get(), "B");
  EXPECT_EQ(cached.told->fetches, 2);
}

async::Task<std::size_t> cancel_one_of_two(std::shared_ptr<CredentialProvider> provider, std::shared_ptr<Told> told,
                                           Got* first, Got* second) {
  const auto executor = co_await boost::asio::this_coro::executor;
  async::TaskGroup cancelled(executor), kept(executor);
  cancelled.spawn(get_into(provider, first));
  kept.spawn(get_into(provider, second));
  co_await async::sleep_for(2);
  cancelled.cancel();
  co_await cancelled.join();
  const std::size_t before = second->size();
  told->held = false;
  co_await kept.join();
  co_return before;
}

TEST(CredentialCache, ACancelledCallDoesNotCancelTheRefreshOfTheOthers) {
  Cached cached;
  cached.told->answers = {keys("A")};
  cached.told->held = true;
  Got first, second;
  EXPECT_EQ(cached.loop.run(cancel_one_of_two(cached.provider, cached.told, &first, &second)), 0u);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].error().kind, ErrorKind::cancelled);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0]->keys.access_key_id, "A");
}

TEST(CredentialCache, EndsItsRefreshWhenItIsDestroyed) {
  Cached cached;
  cached.told->answers = {keys("A", 12), keys("B", 120)};
  EXPECT_EQ(cached.get(), "A");
  cached.clock.advance(kBetweenRefreshes_ms);
  cached.told->held = true;
  EXPECT_EQ(cached.get(), "A");
  cached.settle();
  EXPECT_EQ(cached.told->waiting, 1);
  cached.provider.reset();
  cached.settle();
  EXPECT_TRUE(cached.told->cancelled);
}

// --- the chain

constexpr const char* kConfig =
    "[default]\naws_access_key_id = PROFILE\naws_secret_access_key = SK\n[profile dev]\n"
    "aws_access_key_id = DEV\naws_secret_access_key = SK\n";

// Which source the chain takes: its access key id, or the error.
std::string chosen(World& world) {
  const std::unique_ptr<CredentialSource> chain = make_credential_chain(world.parts());
  const Result<Credentials> credentials = world.run(chain->fetch());
  return credentials ? credentials->keys.access_key_id : credentials.error().text();
}

TEST(CredentialChain, AsksInItsOrder) {
  World world;
  auto& variables = world.environment.variables;
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = world.url();
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = world.url();
  variables["AWS_ENDPOINT_URL_STS"] = world.url();
  variables.erase("AWS_EC2_METADATA_DISABLED");
  world.answer(200, R"({"AccessKeyId":"CONTAINER","SecretAccessKey":"SK","Token":"T"})");
  EXPECT_EQ(chosen(world), "CONTAINER");

  variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = world.home.write("jwt", "J");
  variables["AWS_ROLE_ARN"] = "r";
  world.script->replies.clear();
  world.answer(200, "<AccessKeyId>WEB</AccessKeyId><SecretAccessKey>SK</SecretAccessKey>");
  EXPECT_EQ(chosen(world), "WEB");

  world.home.write(".aws/config", kConfig);
  EXPECT_EQ(chosen(world), "PROFILE");

  variables["AWS_ACCESS_KEY_ID"] = "ENVIRONMENT";
  variables["AWS_SECRET_ACCESS_KEY"] = "SK";
  EXPECT_EQ(chosen(world), "ENVIRONMENT");

  variables["AWS_PROFILE"] = "dev";
  EXPECT_EQ(chosen(world), "DEV") << "a named profile turns the environment off";
}

TEST(CredentialChain, AnInstanceIsAskedLastAndNeverFromAContainer) {
  World world;
  auto& variables = world.environment.variables;
  variables.erase("AWS_EC2_METADATA_DISABLED");
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = world.url();
  world.answer(200, "session");
  world.answer(200, "role");
  world.answer(200, R"({"AccessKeyId":"INSTANCE","SecretAccessKey":"SK","Token":"T"})");
  EXPECT_EQ(chosen(world), "INSTANCE");

  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = world.url() + "/container";
  world.script->replies.clear();
  world.script->requests.clear();
  world.answer(404, "");
  EXPECT_EQ(chosen(world), "container answered HTTP 404");
  for (const http::ServerRequest& request : world.requests()) EXPECT_EQ(request.target, "/container");
}

TEST(CredentialChain, AnErrorEndsTheSearch) {
  World world;
  world.home.write(".aws/config", kConfig);
  world.environment.variables["AWS_ACCESS_KEY_ID"] = "ENVIRONMENT";
  EXPECT_EQ(chosen(world),
            "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both, or none to "
            "use another source");
}

TEST(CredentialChain, WhenThereAreNoneItSaysWhereItLooked) {
  World world;
  const std::string home = world.home.path().native();
  EXPECT_EQ(
      chosen(world),
      "no AWS credentials were found (environment: AWS_ACCESS_KEY_ID is not set; profile: there is no profile "
      "default in " +
          home + "/.aws/config and " + home +
          "/.aws/credentials; web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set; instance metadata: "
          "AWS_EC2_METADATA_DISABLED is true); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or "
          "run `aws configure`");
}

TEST(CredentialChain, StaysWithTheSourceItFound) {
  World world;
  world.home.write(".aws/config", kConfig);
  world.environment.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = world.url();
  world.answer(200, R"({"AccessKeyId":"CONTAINER","SecretAccessKey":"SK","Token":"T"})");
  const std::unique_ptr<CredentialSource> chain = make_credential_chain(world.parts());
  EXPECT_EQ(world.run(chain->fetch())->keys.access_key_id, "PROFILE");
  world.home.write(".aws/config", "");
  const Result<Credentials> gone = world.run(chain->fetch());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::denied);
  EXPECT_TRUE(gone.error().message.starts_with("the AWS credentials are gone from where they were (profile: "));
  EXPECT_TRUE(world.requests().empty());
}

TEST(CredentialProvider, IsTheChainWithItsCache) {
  World world;
  world.environment.variables["AWS_ACCESS_KEY_ID"] = "AK";
  world.environment.variables["AWS_SECRET_ACCESS_KEY"] = "SK";
  const auto provider = make_credential_provider(world.environment, world.client, world.clock);
  const Result<Credentials> credentials = world.run(provider->get());
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_EQ(credentials->keys.access_key_id, "AK");
  EXPECT_EQ(credentials->source, "environment");
}

}  // namespace
}  // namespace palette::aws
