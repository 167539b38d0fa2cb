#include "support/stand_in.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "async/event_loop.h"
#include "http/client.h"
#include "support/stand_in_process.h"

namespace palette::testing {
namespace {

// What an AWS client sends, but for the signature, which no stand-in looks at.
http::Request signed_request(const StandIn& stand_in, std::string_view service, std::string method,
                             std::string target) {
  http::Request request;
  request.method = std::move(method);
  request.url = *http::Url::parse(stand_in.url());
  request.url.target = std::move(target);
  request.headers.add("Authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20261124/us-east-1/" +
                                           std::string(service) + "/aws4_request, SignedHeaders=host, Signature=0");
  return request;
}

http::Request list_tables(const StandIn& stand_in) {
  http::Request request = signed_request(stand_in, "dynamodb", "POST", "/");
  request.headers.add("X-Amz-Target", "DynamoDB_20120810.ListTables");
  request.headers.add("Content-Type", "application/x-amz-json-1.0");
  request.body = "{}";
  return request;
}

http::Outcome<http::Response> send(http::Request request) {
  async::EventLoop loop;
  http::Client client(loop.context().get_executor(), {});
  return loop.run(client.send(std::move(request)));
}

// Skips the test where the stand-in is not installed.
#define ASSERT_STARTED(stand_in)                                                                                 \
  if (!(stand_in) && (stand_in).error().kind == ErrorKind::not_found) GTEST_SKIP() << (stand_in).error().text(); \
  ASSERT_TRUE(stand_in) << (stand_in).error().text()

TEST(StandIn, DynamoDbLocalAnswersByItselfAndThroughTheProxy) {
  const auto dynamo = StandIn::dynamodb_local();
  ASSERT_STARTED(dynamo);
  EXPECT_EQ(StandIn::dynamodb_local()->get(), dynamo->get());
  const auto proxy = StandIn::fault_proxy(**dynamo, {"--seed", "7"});
  ASSERT_TRUE(proxy) << proxy.error().text();
  for (const StandIn* stand_in : {dynamo->get(), proxy->get()}) {
    const auto answer = send(list_tables(*stand_in));
    ASSERT_TRUE(answer) << answer.error().error.text();
    EXPECT_EQ(answer->status, 200) << answer->body;
    EXPECT_TRUE(answer->body.starts_with(R"({"TableNames":[)")) << answer->body;
    EXPECT_NE(answer->headers.get("x-amz-crc32"), "");
  }
  const auto stats = (*proxy)->ask("GET", "/_proxy/stats");
  ASSERT_TRUE(stats) << stats.error().text();
  EXPECT_NE(stats->find(R"("by_op":{"ListTables":1})"), std::string::npos) << *stats;
}

TEST(StandIn, MotoKeepsObjectsAndTheProxyFailsAsItIsTold) {
  const auto moto = StandIn::moto();
  ASSERT_STARTED(moto);
  EXPECT_EQ(StandIn::moto()->get(), moto->get());
  const auto proxy = StandIn::fault_proxy(**moto, {});
  ASSERT_TRUE(proxy) << proxy.error().text();
  const auto status_of = [&](const StandIn& of, std::string method, std::string target, std::string body = "") {
    http::Request request = signed_request(of, "s3", std::move(method), std::move(target));
    request.body = std::move(body);
    const auto answer = send(std::move(request));
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status_of(**moto, "PUT", "/stand-in-test"), 200);
  EXPECT_EQ(status_of(**proxy, "PUT", "/stand-in-test/a", "text"), 200);
  const auto told = (*proxy)->ask("POST", "/_proxy/faults", R"({"faults":[{"kind":"cut_before"},{"kind":"503"}]})");
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_EQ(status_of(**proxy, "GET", "/stand-in-test/a"), 0);
  EXPECT_EQ(status_of(**proxy, "GET", "/stand-in-test/a"), 503);
  EXPECT_EQ(status_of(**proxy, "GET", "/stand-in-test/a"), 200);
  const auto head = send(signed_request(**proxy, "s3", "HEAD", "/stand-in-test/a"));
  ASSERT_TRUE(head) << head.error().error.text();
  EXPECT_EQ(head->headers.get("content-length"), "4");
}

TEST(StandIn, SaysWhatTheProxySaidWhenItDoesNotStart) {
  const auto moto = StandIn::moto();
  ASSERT_STARTED(moto);
  const auto proxy = StandIn::fault_proxy(**moto, {"--fault", "bad=1"});
  ASSERT_FALSE(proxy);
  EXPECT_EQ(proxy.error().kind, ErrorKind::unavailable);
  EXPECT_NE(proxy.error().message.find("fault 'bad' is not known"), std::string::npos) << proxy.error().message;
  const std::size_t at = proxy.error().message.find(std::filesystem::temp_directory_path().string());
  ASSERT_NE(at, std::string::npos);
  const std::string file = proxy.error().message.substr(at, proxy.error().message.find(')', at) - at);
  EXPECT_TRUE(std::filesystem::remove(file)) << file;
}

TEST(StandInProcess, EndsWithItsOwnerAndTakesItsFileAlong) {
  auto process = StandInProcess::start({"sh", "-c", "echo $$; exec sleep 600"});
  ASSERT_TRUE(process) << process.error().text();
  const std::string file = (*process)->output_file();
  std::string output;
  while ((output = (*process)->output()).empty()) ::usleep(1'000);
  const pid_t pid = std::stoi(output);
  EXPECT_EQ(::kill(pid, 0), 0);
  EXPECT_FALSE((*process)->has_ended());
  process->reset();
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(StandInProcess, DiesWithAParentThatIsKilled) {
  // The process inherits the pipe's write end: its read end comes to its end when nobody is left.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto process = StandInProcess::start({"sleep", "600"});
    const std::string file = process ? (*process)->output_file() : "-";
    if (::write(ends[1], file.data(), file.size()) > 0) ::pause();
    ::_exit(1);
  }
  ::close(ends[1]);
  char text[256];
  const ssize_t size = ::read(ends[0], text, sizeof text);
  ASSERT_GT(size, 1);
  pollfd watched{.fd = ends[0], .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&watched, 1, 50), 0) << "it has ended by itself";
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  constexpr int kPatience_ms = 10'000;
  EXPECT_EQ(::poll(&watched, 1, kPatience_ms), 1);
  EXPECT_EQ(::read(ends[0], text + size, 1), 0);
  ::close(ends[0]);
  EXPECT_TRUE(std::filesystem::remove(std::string(text, static_cast<std::size_t>(size))));
}

TEST(StandInProcess, SaysThatThereIsNoSuchProgram) {
  const auto process = StandInProcess::start({"/nonexistent/program"});
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().kind, ErrorKind::not_found);
  EXPECT_NE(process.error().text().find("/nonexistent/program"), std::string::npos) << process.error().text();
}

}  // namespace
}  // namespace palette::testing
