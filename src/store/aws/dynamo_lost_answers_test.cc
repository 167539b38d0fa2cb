// A write whose answer was lost is sent again and finds its own doing. DynamoDB knows a transaction again by its
// ClientRequestToken, for ten minutes; here every try comes under another one, so that only our own marks can tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/job_store_fixture.h"
#include "http/server.h"
#include "support/dynamo_tables.h"

namespace palette::store {
namespace {

using contract::at, contract::await, contract::by, contract::error_text, contract::new_item, contract::new_job,
    contract::progress;

// Hands requests on, forgets tokens, and loses the next answers to an operation.
struct Forgetful {
  explicit Forgetful(std::string to) : client(loop().context().get_executor(), {}), upstream(std::move(to)) {}
  static async::EventLoop& loop() { return contract::process_loop(); }

  http::Client client;
  std::string upstream;
  std::string operation;  // whose answers are lost
  int to_lose = 0;
  int asked = 0;
};

std::string with_another_token(std::string body) {
  constexpr std::string_view kToken = "\"ClientRequestToken\":\"";
  const std::size_t found = body.find(kToken);
  if (found == std::string::npos) return body;
  const std::size_t start = found + kToken.size();
  return body.replace(start, body.find('"', start) - start, random_hex_id());
}

async::Task<http::ServerReply> hand_on(std::shared_ptr<Forgetful> self, http::ServerRequest request) {
  http::Request onward;
  onward.method = request.method;
  onward.url = *http::Url::parse(self->upstream);
  onward.headers = request.headers;
  onward.as_given = true;
  onward.body = with_another_token(std::move(request.body));
  ++self->asked;
  const bool is_lost = self->to_lose > 0 && request.headers.get("x-amz-target").ends_with("." + self->operation);
  http::Outcome<http::Response> answer = co_await self->client.send(std::move(onward));
  http::ServerReply reply;
  if (answer) reply.response = std::move(*answer);
  if (is_lost) {
    --self->to_lose;
    reply.ending = http::Ending::cut;
  }
  co_return reply;
}

// On the loop, where the connections that it ends are.
async::Task<bool> end(std::unique_ptr<http::Server> server) {
  server.reset();
  co_return true;
}

class DynamoLostAnswers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test_.url.empty()) return;
    between_ = std::make_shared<Forgetful>(test_.url);
    auto listening = http::Server::listen(
        Forgetful::loop().context().get_executor(), {},
        [between = between_](http::ServerRequest request) { return hand_on(between, std::move(request)); });
    ASSERT_TRUE(listening) << listening.error().text();
    server_ = std::move(*listening);
    const std::string url = "http://127.0.0.1:" + std::to_string(server_->port());
    jobs_ = std::make_unique<DynamoJobStore>(aws::dynamodb_at(Forgetful::loop(), url), test_.tables);
  }

  void TearDown() override {
    jobs_.reset();
    if (server_) await(end(std::move(server_)));
  }

  void lose(std::string operation, int answers = 1) {
    between_->operation = std::move(operation);
    between_->to_lose = answers;
  }
  // Were the answers that should be lost asked for?
  void expect_lost() { EXPECT_EQ(between_->to_lose, 0); }

  JobItem job(const std::string& id = "j") { return await(jobs_->get_job(JobId{id})).value(); }
  std::vector<QueueItem> queue(QueueStatus status) { return await(jobs_->queue_items(status)).value(); }
  QueueItem held_part() {
    JobItem made = new_job("j");
    made.unallocated = Money{100};
    EXPECT_TRUE(await(jobs_->create_job(made, {new_item("j")})));
    return await(jobs_->claim(new_item("j"), by("w1", 0))).value();
  }

  DynamoTestTables test_;
  std::shared_ptr<Forgetful> between_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<DynamoJobStore> jobs_;
};

TEST_F(DynamoLostAnswers, OfCreatingAJob) {
  lose("TransactWriteItems");
  const Status created = await(jobs_->create_job(new_job("j"), {new_item("j")}));
  EXPECT_TRUE(created) << created.error().text();
  expect_lost();
  EXPECT_EQ(queue(QueueStatus::queued).size(), 1u);
  // A job of somebody else's is there already, whatever was lost.
  lose("TransactWriteItems");
  EXPECT_EQ(await(jobs_->create_job(new_job("j"), {new_item("j")})).error().kind, ErrorKind::already_exists);
  expect_lost();
}

TEST_F(DynamoLostAnswers, OfPuttingAJob) {
  ASSERT_TRUE(await(jobs_->create_job(new_job("j"), {})));
  JobItem changed = job();
  changed.name = "mine";
  lose("UpdateItem");
  const Result<std::int64_t> revision = await(jobs_->put_job(changed));
  ASSERT_TRUE(revision) << error_text(revision);
  expect_lost();
  EXPECT_EQ(*revision, job().revision);
  EXPECT_EQ(job().name, "mine");
  lose("UpdateItem");
  EXPECT_EQ(await(jobs_->put_job(changed)).error().kind, ErrorKind::changed) << "the revision is an old one";
  expect_lost();
}

TEST_F(DynamoLostAnswers, OfPuttingAJobAndEnqueuing) {
  ASSERT_TRUE(await(jobs_->create_job(new_job("j"), {})));
  const JobItem read = job();
  lose("TransactWriteItems");
  const Result<std::int64_t> revision = await(jobs_->put_job_and_enqueue(read, {new_item("j")}));
  ASSERT_TRUE(revision) << error_text(revision);
  expect_lost();
  EXPECT_EQ(*revision, job().revision);
  EXPECT_EQ(queue(QueueStatus::queued).size(), 1u);
}

TEST_F(DynamoLostAnswers, OfAClaim) {
  ASSERT_TRUE(await(jobs_->create_job(new_job("j"), {new_item("j")})));
  lose("TransactWriteItems");
  const Result<QueueItem> held = await(jobs_->claim(new_item("j"), by("w1", 0)));
  ASSERT_TRUE(held) << error_text(held);
  expect_lost();
  EXPECT_EQ(held->attempt.value, 1);
  EXPECT_EQ(job().parts.at(1).attempt.value, 1);
  // Of the same owner, but another call: not ours.
  lose("TransactWriteItems");
  EXPECT_EQ(await(jobs_->claim(new_item("j"), by("w1", 0))).error().kind, ErrorKind::changed);
  expect_lost();
}

TEST_F(DynamoLostAnswers, OfTakingAnExpiredLease) {
  const QueueItem held = held_part();
  lose("TransactWriteItems");
  const Result<QueueItem> taken = await(jobs_->claim(held, by("w2", 100)));
  ASSERT_TRUE(taken) << error_text(taken);
  expect_lost();
  EXPECT_EQ(taken->attempt.value, 2);
  EXPECT_EQ(job().parts.at(1).attempt.value, 2);
}

TEST_F(DynamoLostAnswers, OfAReportCountItOnce) {
  const QueueItem held = held_part();
  lose("UpdateItem");
  Status reported = await(jobs_->report(held, progress(10), at(5)));
  EXPECT_TRUE(reported) << reported.error().text();
  expect_lost();
  EXPECT_EQ(job().records_generated, 10);
  lose("UpdateItem", 2);
  reported = await(jobs_->report(held, progress(30), at(6)));
  EXPECT_TRUE(reported) << reported.error().text();
  expect_lost();
  EXPECT_EQ(job().records_generated, 30);
  EXPECT_EQ(job().tokens_used, 300);
  EXPECT_EQ(job().cost_estimate, Money{30});
}

TEST_F(DynamoLostAnswers, OfASliceTakeItOnce) {
  const QueueItem held = held_part();
  lose("UpdateItem");
  const Result<SliceAnswer> slice = await(jobs_->take_slice(held, 1, Money{60}));
  ASSERT_TRUE(slice) << error_text(slice);
  expect_lost();
  EXPECT_TRUE(slice->granted);
  EXPECT_EQ(slice->unallocated, Money{40});
  EXPECT_EQ(job().unallocated, Money{40});
}

TEST_F(DynamoLostAnswers, OfARequeueGiveBackOnce) {
  const QueueItem held = held_part();
  ASSERT_TRUE(await(jobs_->take_slice(held, 1, Money{60})));
  lose("TransactWriteItems");
  const Status requeued = await(jobs_->requeue(held, progress(7), {Money{20}}, at(9)));
  EXPECT_TRUE(requeued) << requeued.error().text();
  expect_lost();
  EXPECT_EQ(job().unallocated, Money{60});
  EXPECT_EQ(job().records_generated, 7);
  EXPECT_EQ(queue(QueueStatus::queued).size(), 1u);
  // Once it is done the attempt is over: again is too late, also when that answer is lost.
  lose("TransactWriteItems");
  EXPECT_EQ(await(jobs_->requeue(held, progress(7), {Money{20}}, at(9))).error().kind, ErrorKind::fenced);
  EXPECT_EQ(job().unallocated, Money{60});
}

TEST_F(DynamoLostAnswers, OfTheEndsOfPartsCountEachOnce) {
  JobItem two = new_job("two");
  two.unallocated = Money{100};
  two.parts = {{1, {}}, {2, {}}};
  ASSERT_TRUE(await(jobs_->create_job(two, {new_item("two", 0, 1), new_item("two", 0, 2)})));
  QueueItem exporting = new_item("two", 0, kExportPart.value);
  exporting.kind = WorkKind::export_;
  for (std::int64_t part = 1; part <= 2; ++part) {
    const QueueItem held = await(jobs_->claim(new_item("two", 0, part), by("w1", 0))).value();
    lose("TransactWriteItems");
    const Result<bool> ended = await(jobs_->end_part(held, progress(7), Money{5}, "", exporting, at(9)));
    ASSERT_TRUE(ended) << error_text(ended);
    expect_lost();
    EXPECT_EQ(*ended, part == 2) << "as what it counted when its answer was lost";
    const JobItem now = await(jobs_->get_job(JobId{"two"})).value();
    EXPECT_EQ(now.parts_ended, part);
    EXPECT_EQ(now.unallocated, Money{100 + 5 * part});
    EXPECT_EQ(queue(QueueStatus::queued).size(), 1u) << "the other part, then the export";
  }
  EXPECT_EQ(queue(QueueStatus::queued).at(0).kind, WorkKind::export_);
}

TEST_F(DynamoLostAnswers, OfParkingAndPuttingBack) {
  const QueueItem held = held_part();
  lose("TransactWriteItems");
  ASSERT_TRUE(await(jobs_->park(held, progress(7), {Money{20}}, at(90), at(9))));
  expect_lost();
  EXPECT_EQ(job().unallocated, Money{120});
  const QueueItem parked = queue(QueueStatus::parked).at(0);
  lose("TransactWriteItems");
  ASSERT_TRUE(await(jobs_->unpark(parked)));
  expect_lost();
  EXPECT_EQ(queue(QueueStatus::queued).size(), 1u);
  // Somebody else's doing is not ours.
  lose("TransactWriteItems");
  EXPECT_EQ(await(jobs_->unpark(parked)).error().kind, ErrorKind::changed);
}

TEST_F(DynamoLostAnswers, OfARequestToStop) {
  ASSERT_TRUE(await(jobs_->create_job(new_job("idle"), {new_item("idle")})));
  lose("TransactWriteItems");
  const auto stopped = await(jobs_->request_stop(JobId{"idle"}, "cancelled", job::JobStatus::cancelled, at(9)));
  ASSERT_TRUE(stopped) << error_text(stopped);
  expect_lost();
  EXPECT_EQ(stopped->status, job::JobStatus::cancelled);
  EXPECT_TRUE(queue(QueueStatus::queued).empty());
}

TEST_F(DynamoLostAnswers, OfAFinish) {
  const QueueItem held = held_part();
  JobItem end = job();
  end.status = job::JobStatus::completed;
  lose("TransactWriteItems");
  const Status finished = await(jobs_->finish(held, end, Money{5}));
  EXPECT_TRUE(finished) << finished.error().text();
  expect_lost();
  EXPECT_EQ(job().status, job::JobStatus::completed);
  EXPECT_EQ(job().unallocated, Money{105});
  lose("TransactWriteItems");
  EXPECT_EQ(await(jobs_->finish(held, end, Money{5})).error().kind, ErrorKind::fenced);
  EXPECT_EQ(job().unallocated, Money{105});
}

TEST_F(DynamoLostAnswers, OfATemplateAndOfCostRows) {
  lose("PutItem");
  EXPECT_TRUE(await(jobs_->put_template({"t", 1, "name", "{}", at(1)})));
  expect_lost();
  lose("TransactWriteItems");
  EXPECT_TRUE(await(jobs_->put_cost_rows({{JobId{"j"}, "t1", {}}, {JobId{"j"}, "t2", {}}})));
  expect_lost();
  EXPECT_EQ(await(jobs_->cost_rows(JobId{"j"}))->size(), 2u);
}

TEST_F(DynamoLostAnswers, OfAHeartbeatRenewAllTheSame) {
  const QueueItem held = held_part();
  lose("UpdateItem");
  EXPECT_TRUE(await(jobs_->heartbeat(held, at(120))));
  expect_lost();
  EXPECT_EQ(queue(QueueStatus::running).at(0).lease_expires_at, at(120));
}

// What a fenced-off owner lost does not make it the owner again.
TEST_F(DynamoLostAnswers, OfAFencedOwnerStayRefused) {
  const QueueItem first = held_part();
  ASSERT_TRUE(await(jobs_->claim(first, by("w2", 100))));
  JobItem end = job();
  for (const char* operation : {"UpdateItem", "TransactWriteItems"}) {
    lose(operation);
    EXPECT_EQ(await(jobs_->report(first, progress(1), at(9))).error().kind, ErrorKind::fenced);
    EXPECT_EQ(await(jobs_->requeue(first, progress(1), {}, at(9))).error().kind, ErrorKind::fenced);
    EXPECT_EQ(await(jobs_->finish(first, end, Money{})).error().kind, ErrorKind::fenced);
    EXPECT_EQ(await(jobs_->take_slice(first, 1, Money{1})).error().kind, ErrorKind::fenced);
    EXPECT_EQ(await(jobs_->heartbeat(first, at(99))).error().kind, ErrorKind::fenced);
  }
  EXPECT_EQ(job().revision, end.revision);
}

}  // namespace
}  // namespace palette::store
