#include "proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/event_loop.h"
#include "async/timer.h"
#include "aws_requests.h"
#include "base/time.h"

namespace palette::proxy {
namespace {

using ::testing::HasSubstr;

constexpr const char* kStats = "/_proxy/stats";

class ProxyTest : public ::testing::Test {
 protected:
  // The proxy before an upstream that says what it was sent.
  void start(Behaviour behaviour = {}, std::uint64_t seed = 1) {
    auto server = http::Server::listen(executor(), {.body_bytes_max = kBodyBytesMax},
                                       [this](http::ServerRequest request) { return work(std::move(request)); });
    ASSERT_TRUE(server);
    upstream_ = std::move(*server);
    Settings settings{.upstream = url_of(upstream_->port()), .seed = seed, .behaviour = behaviour};
    proxy_ = std::make_unique<Proxy>(std::move(settings), client_);
    auto front = http::Server::listen(executor(), {.body_bytes_max = kBodyBytesMax},
                                      [this](http::ServerRequest r) { return proxy_->handle(std::move(r)); });
    ASSERT_TRUE(front);
    front_ = std::move(*front);
  }

  ~ProxyTest() override {
    loop_.run(close(std::move(front_)));
    loop_.run(close(std::move(upstream_)));
  }

  // On the loop: Asio 1.81 tells a task that it is cancelled by way of the loop, and the task must not end before that.
  static async::Task<Status> close(std::unique_ptr<http::Server> server) {
    server.reset();
    co_return co_await async::sleep_for(1);  // what it had in flight ends
  }

  boost::asio::any_io_executor executor() { return loop_.context().get_executor(); }

  static http::Url url_of(std::uint16_t port) { return {.host = "127.0.0.1", .port = port}; }

  async::Task<http::ServerReply> work(http::ServerRequest request) {
    worked.push_back(request);
    http::ServerReply reply;
    reply.response = answer;
    co_return reply;
  }

  http::Request to_proxy(std::string method, std::string target, std::string body = {}) {
    http::Request request;
    request.method = std::move(method);
    request.url = url_of(front_->port());
    request.url.target = std::move(target);
    request.body = std::move(body);
    return request;
  }

  http::Request dynamodb(std::string operation, std::string body = "{}") {
    http::Request request = to_proxy("POST", "/", std::move(body));
    request.headers.add("X-Amz-Target", "DynamoDB_20120810." + std::move(operation));
    return request;
  }

  http::Outcome<http::Response> send(http::Request request) { return loop_.run(client_.send(std::move(request))); }

  std::string get(std::string path) {
    const auto answered = send(to_proxy("GET", std::move(path)));
    return answered ? answered->body : answered.error().error.text();
  }

  void script(std::string faults) {
    const auto told = send(to_proxy("POST", "/_proxy/faults", R"({"faults": [)" + faults + "]}"));
    ASSERT_TRUE(told);
    ASSERT_EQ(told->status, 200) << told->body;
  }

  JsonObject stats() { return parse_json(get(kStats))->get_object(); }

  async::EventLoop loop_;
  http::Client client_{loop_.context().get_executor(), {}};
  std::unique_ptr<Proxy> proxy_;
  std::unique_ptr<http::Server> upstream_, front_;
  std::vector<http::ServerRequest> worked;
  http::Response answer{200, {{"ETag", "\"1\""}, {"Date", "some day"}}, "the answer"};
};

TEST_F(ProxyTest, PassesRequestAndAnswerUnchanged) {
  start();
  answer.headers.add("Content-Encoding", "gzip");
  answer.headers.add("x-amz-crc32", "17");
  answer.body = std::string("\x1f\x8b\0 not to be unpacked", 22);
  http::Request request = to_proxy("PUT", "/bucket/a%20b?x=%2F", std::string("a\0b", 3));
  request.as_given = true;
  request.headers = {{"Host", "bucket.s3.us-east-1.example"},
                     {"Accept-Encoding", "identity"},
                     {"Authorization", "AWS4-HMAC-SHA256 …"},
                     {"x-amz-meta-a", "1"},
                     {"X-Amz-Meta-A", "2"}};
  const auto answered = send(std::move(request));
  ASSERT_TRUE(answered) << answered.error().error.text();
  ASSERT_EQ(worked.size(), 1U);
  EXPECT_EQ(worked[0].method, "PUT");
  EXPECT_EQ(worked[0].target, "/bucket/a%20b?x=%2F");
  EXPECT_EQ(worked[0].body, std::string("a\0b", 3));
  std::vector<std::string> fields;
  for (const auto& [name, value] : worked[0].headers) fields.push_back(name + ": " + value);
  EXPECT_THAT(fields, ::testing::ElementsAre("Host: bucket.s3.us-east-1.example", "Accept-Encoding: identity",
                                             "Authorization: AWS4-HMAC-SHA256 …", "x-amz-meta-a: 1", "X-Amz-Meta-A: 2",
                                             "Content-Length: 3"));
  EXPECT_EQ(answered->status, 200);
  EXPECT_EQ(answered->body, answer.body);
  EXPECT_EQ(answered->headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(answered->headers.get("x-amz-crc32"), "17");
  EXPECT_EQ(answered->headers.get("Date"), "some day");
}

TEST_F(ProxyTest, TellsTheLengthOfWhatHeadIsAskedOf) {
  start();
  answer.headers.add("Content-Length", "12345678901");
  const auto answered = send(to_proxy("HEAD", "/bucket/a"));
  ASSERT_TRUE(answered) << answered.error().error.text();
  EXPECT_EQ(answered->headers.get("Content-Length"), "12345678901");
}

TEST_F(ProxyTest, CarriesLargeBodies) {
  start();
  answer.body = std::string(40 * limits::kMiB, 'a');
  const auto answered = send(to_proxy("PUT", "/bucket/a", std::string(40 * limits::kMiB, 'b')));
  ASSERT_TRUE(answered) << answered.error().error.text();
  EXPECT_EQ(answered->body.size(), answer.body.size());
  EXPECT_EQ(worked.at(0).body.size(), 40 * limits::kMiB);
}

// What each fault of an S3 PUT does: the status (0: no answer), and whether the upstream did the work.
TEST_F(ProxyTest, FailsAsItIsTold) {
  start();
  const struct {
    std::string kind;
    int status;
    bool worked;
  } table[] = {{"500", 500, false},      {"503", 503, false},      {"throttle", 503, false}, {"conflict", 409, false},
               {"500_after", 500, true}, {"cut_before", 0, false}, {"cut_after", 0, true},   {"half", 0, true}};
  for (const auto& one : table) {
    worked.clear();
    script(R"({"kind": ")" + one.kind + R"(", "op": "PUT"})");
    http::Request request = to_proxy("PUT", "/bucket/" + one.kind, "text");
    request.headers.add("If-None-Match", "*");
    const auto answered = send(request);
    EXPECT_EQ(answered ? answered->status : 0, one.status) << one.kind;
    if (!answered) EXPECT_TRUE(answered.error().sent) << one.kind;
    EXPECT_EQ(worked.size(), one.worked ? 1U : 0U) << one.kind;
    const auto again = send(request);
    EXPECT_EQ(again ? again->body : "", "the answer") << one.kind;
  }
}

TEST_F(ProxyTest, GivesHalfOfAnAnswer) {
  start();
  script(R"({"kind": "half"}, {"kind": "half"})");
  const auto halved = send(to_proxy("GET", "/bucket/a"));
  ASSERT_FALSE(halved);
  EXPECT_THAT(halved.error().error.message, HasSubstr("half way"));
  answer.body.clear();
  const auto nothing = send(to_proxy("PUT", "/bucket/a"));
  ASSERT_FALSE(nothing) << "half of nothing must be no answer at all";
  EXPECT_THAT(nothing.error().error.message, HasSubstr("without an answer"));
}

TEST_F(ProxyTest, HangsAfterTheWorkUntilTheClientLeaves) {
  start();
  script(R"({"kind": "hang"})");
  http::Request request = dynamodb("UpdateItem");
  request.deadlines.first_byte_ms = 100;
  const auto answered = send(std::move(request));
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().error.kind, ErrorKind::timeout);
  EXPECT_EQ(worked.size(), 1U);
  for (int looks = 0; looks < 1'000 && proxy_->in_flight() > 0; ++looks) loop_.run(async::sleep_for(5));
  EXPECT_EQ(proxy_->in_flight(), 0);
}

TEST_F(ProxyTest, TakesItsTime) {
  start({.latency_ms = 30, .slow_ms = 200});
  const auto duration_ms = [&] {
    const std::int64_t before = system_clock().monotonic_ms();
    EXPECT_TRUE(send(dynamodb("GetItem")));
    return system_clock().monotonic_ms() - before;
  };
  EXPECT_GE(duration_ms(), 30);
  script(R"({"kind": "slow"})");
  EXPECT_GE(duration_ms(), 230);
}

TEST_F(ProxyTest, AnswersNobodyDuringAnOutage) {
  start();
  ASSERT_EQ(send(to_proxy("POST", "/_proxy/config", R"({"outage": true})"))->status, 200);
  EXPECT_FALSE(send(dynamodb("GetItem")));
  EXPECT_TRUE(worked.empty());
  ASSERT_EQ(send(to_proxy("POST", "/_proxy/config", R"({"outage": false})"))->status, 200);
  EXPECT_TRUE(send(dynamodb("GetItem")));
  EXPECT_EQ(stats().at("faults"), Json({{"outage", 1}}));
}

TEST_F(ProxyTest, CountsWhatCameAndWhatTheUpstreamSaw) {
  start();
  const std::string transaction = R"({"TransactItems": [{"Put": {}}, {"Put": {}}]})";
  script(R"({"kind": "conflict", "op": "TransactWriteItems"}, {"kind": "cut_after", "op": "PutItem"})");
  EXPECT_EQ(send(dynamodb("TransactWriteItems", transaction))->status, 400);
  EXPECT_EQ(send(dynamodb("TransactWriteItems", transaction))->status, 200);
  EXPECT_FALSE(send(dynamodb("PutItem", "12345")));
  answer.status = 400;
  answer.body = R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Message":"no"})";
  EXPECT_EQ(send(dynamodb("PutItem", "123"))->status, 400);
  const JsonObject counted = stats();
  EXPECT_EQ(counted.at("requests"), 4);
  EXPECT_EQ(counted.at("by_op"), Json({{"PutItem", 2}, {"TransactWriteItems", 1}}));
  EXPECT_EQ(counted.at("refused_by_op"), Json({{"TransactWriteItems", 1}}));
  EXPECT_EQ(counted.at("bytes_in").at("PutItem"), 8);
  EXPECT_EQ(counted.at("bytes_out").at("TransactWriteItems"), 10);
  EXPECT_EQ(counted.at("errors"), Json({{"ConditionalCheckFailedException", 1}, {"TransactionCanceledException", 1}}));
  EXPECT_EQ(counted.at("faults"), Json({{"conflict", 1}, {"cut_after", 1}}));
  EXPECT_EQ(counted.at("transaction_conflicts"), 1);
  EXPECT_EQ(counted.at("in_flight"), 0);
}

TEST_F(ProxyTest, DrawsFaultsFromItsSeedAtTheirRate) {
  const auto outcomes = [this](std::uint64_t seed) {
    FaultRates rates;
    EXPECT_TRUE(rates.set(Fault::error_500, 0.25));
    start({.rates = rates}, seed);
    std::string all;
    for (int i = 0; i < 200; ++i) all += send(dynamodb("GetItem"))->status == 500 ? 'x' : '.';
    EXPECT_TRUE(loop_.run(close(std::move(front_))));
    EXPECT_TRUE(loop_.run(close(std::move(upstream_))));
    return all;
  };
  const std::string first = outcomes(1);
  const auto faults = std::count(first.begin(), first.end(), 'x');
  EXPECT_GT(faults, 25);
  EXPECT_LT(faults, 75);
  EXPECT_EQ(outcomes(1), first);
  EXPECT_NE(outcomes(2), first);
}

TEST_F(ProxyTest, GoesBackToItsStart) {
  start({.latency_ms = 1});
  script(R"({"kind": "500", "count": 9})");
  ASSERT_EQ(send(to_proxy("POST", "/_proxy/config", R"({"latency_ms": 2, "faults": {"half": 1}})"))->status, 200);
  EXPECT_EQ(send(dynamodb("GetItem"))->status, 500);
  ASSERT_EQ(send(to_proxy("POST", "/_proxy/reset"))->status, 200);
  EXPECT_EQ(get("/_proxy/config"), R"({"latency_ms":1,"jitter_ms":0,"slow_ms":1000,"outage":false,"faults":{}})");
  EXPECT_EQ(stats().at("requests"), 0);
  EXPECT_EQ(send(dynamodb("GetItem"))->status, 200);
}

TEST_F(ProxyTest, SaysWhatIsWrongWithWhatItIsTold) {
  start();
  const struct {
    std::string method, path, body;
    int status;
    std::string says;
  } table[] = {{"POST", "/_proxy/config", "{", 400, "message"},
               {"POST", "/_proxy/config", "[]", 400, "must be a JSON object"},
               {"POST", "/_proxy/faults", R"({"faults": [{"kind": "5"}]})", 400, "fault '5' is not known"},
               {"DELETE", "/_proxy/faults", "", 404, "known are GET /_proxy/stats"}};
  for (const auto& one : table) {
    const auto answered = send(to_proxy(one.method, one.path, one.body));
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->status, one.status) << one.body;
    EXPECT_THAT(answered->body, HasSubstr(one.says));
  }
  EXPECT_TRUE(worked.empty());
}

TEST_F(ProxyTest, SaysThatTheUpstreamIsAway) {
  start();
  ASSERT_TRUE(loop_.run(close(std::move(upstream_))));
  const auto answered = send(dynamodb("GetItem"));
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->status, 502);
  EXPECT_THAT(answered->body, HasSubstr("no answer of http://127.0.0.1:"));
  EXPECT_EQ(stats().at("upstream_failures"), 1);
}

}  // namespace
}  // namespace palette::proxy
