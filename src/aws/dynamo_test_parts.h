// For tests: a DynamoDb on a loop, at some address, with keys that nobody checks.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "async/event_loop.h"
#include "aws/dynamodb.h"
#include "http/client.h"

namespace palette::aws {

class FixedCredentials final : public CredentialProvider {
 public:
  async::Task<Result<Credentials>> get() override { return given(); }
  std::shared_ptr<const Credentials> at_hand() override { return std::make_shared<const Credentials>(keys()); }
  void expire(const Credentials&) override {}

 private:
  static Credentials keys() {
    Credentials out;
    out.keys = {"TESTKEY", "secret-key", ""};  // letters and digits: DynamoDB Local wants no others
    out.source = "test";
    return out;
  }
  static async::Task<Result<Credentials>> given() { co_return keys(); }
};

// Many tries, short pauses.
inline RetryRules quick_rules() {
  return {.tries_max = 25, .base_ms = 1, .pause_ms_max = 20, .patience_ms = 60'000, .also = {}, .check = {}};
}

inline std::shared_ptr<DynamoDb> dynamodb_at(async::EventLoop& loop, const std::string& url,
                                             RetryRules rules = quick_rules(), const Clock& clock = system_clock()) {
  ServiceParts parts;
  parts.http = std::make_shared<http::Client>(loop.context().get_executor(), http::ClientSettings{});
  parts.credentials = std::make_shared<FixedCredentials>();
  parts.clock = &clock;
  auto service = std::make_shared<Service>(kDynamoDbName, *http::Url::parse(url), "us-east-1", std::move(parts));
  return std::make_shared<DynamoDb>(std::move(service), clock, std::move(rules));
}

}  // namespace palette::aws
