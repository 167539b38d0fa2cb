// What ECS answers, read: tasks, refusals, and what an error means. Only ecs.cc uses it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/ecs.h"
#include "base/json.h"

namespace palette::aws {

// Is it a throttle that comes as something else: one of EC2's, told by ECS as a wrong parameter?
bool is_hidden_throttle(const ServiceFailure& failure);

// What the failure of a call means.
Error ecs_error(ServiceFailure failure);
// Of an answer that cannot be read.
Error unreadable_ecs(const Error& error, std::string_view operation);

// corrupt when it is none.
Result<EcsTask> task_from(const Json& value);
// {"tasks": […], "failures": […]}; absent members are empty.
Result<std::vector<EcsTask>> tasks_from(const JsonObject& answer);
Result<std::vector<EcsRefusal>> refusals_from(const JsonObject& answer);

// {"taskArns": […], "nextToken": "…"}
struct ArnPage {
  std::vector<std::string> arns;
  std::string next;  // empty: this was the last
};
Result<ArnPage> arn_page_from(const JsonObject& answer);

}  // namespace palette::aws
