// For tests: an Ecs on a loop, at some address, with keys that nobody checks.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "async/event_loop.h"
#include "aws/dynamo_test_parts.h"
#include "aws/ecs.h"
#include "http/client.h"

namespace palette::aws {

inline std::shared_ptr<Service> service_at(async::EventLoop& loop, const ServiceName& name, const std::string& url,
                                           const Clock& clock = system_clock()) {
  ServiceParts parts;
  parts.http = std::make_shared<http::Client>(loop.context().get_executor(), http::ClientSettings{});
  parts.credentials = std::make_shared<FixedCredentials>();
  parts.clock = &clock;
  return std::make_shared<Service>(name, *http::Url::parse(url), "us-east-1", std::move(parts));
}

// What is asked for in most tests.
inline RunTask worker_tasks(std::int64_t count) {
  RunTask request;
  request.cluster = "palette";
  request.task_definition = "worker:3";
  request.count = count;
  request.network.subnets = {"subnet-1", "subnet-2"};
  request.network.security_groups = {"sg-1"};
  return request;
}

}  // namespace palette::aws
