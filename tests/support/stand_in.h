// Stand-ins of AWS services for tests: processes of somebody else's on 127.0.0.1, and the fault proxy before them.
//
//   const auto dynamo = StandIn::dynamodb_local();
//   if (!dynamo && dynamo.error().kind == ErrorKind::not_found) GTEST_SKIP() << dynamo.error().text();
//   ASSERT_TRUE(dynamo) << dynamo.error().text();
//   const auto proxy = StandIn::fault_proxy(**dynamo, {"--fault", "cut_after=0.1"});
//
// Blocking, for the main thread of a test: a process also ends with the thread that has started it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace palette::testing {

class StandInProcess;

// A process that speaks an AWS service. It is ended with its last owner, with this process at the latest, however that
// ends.
class StandIn {
 public:
  // Errors: not_found where it is not installed (the message says what to run; a test skips with it); unavailable
  // when it does not answer (the message has its last output, and the file with all of it).

  // DynamoDB Local, in memory; all keys and regions see the same tables. Started once, shared.
  static Result<std::shared_ptr<StandIn>> dynamodb_local();
  // moto: S3 and ECS, one thread a request (sound for S3; DynamoDB and transactions of it are not). Started once,
  // shared.
  static Result<std::shared_ptr<StandIn>> moto();
  // The fault proxy before `upstream`: a new process for each call. `flags` as of plot-palette-fault-proxy.
  static Result<std::shared_ptr<StandIn>> fault_proxy(const StandIn& upstream, std::vector<std::string> flags);

  StandIn(std::unique_ptr<StandInProcess> process, std::string url);
  ~StandIn();
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  const std::string& url() const { return url_; }  // http://127.0.0.1:PORT

  // One request outside of any event loop, such as ask("POST", "/_proxy/faults", R"({"faults": [{"kind": "500"}]})"):
  // the body of a 200 answer; unavailable for another one.
  Result<std::string> ask(std::string_view method, std::string_view path, std::string_view body = {}) const;

 private:
  std::unique_ptr<StandInProcess> process_;
  std::string url_;
};

}  // namespace palette::testing
