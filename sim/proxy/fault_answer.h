// What a service of AWS answers when it fails, in its own form.
#pragma once

#include <string>

#include "base/random.h"
#include "fault.h"
#include "http/message.h"

namespace palette::proxy {

// The answer of a fault that has one (500, 500_after, 503, throttle, conflict, in_progress) to `request`. What `random`
// decides: which of a transaction's items is the cause, and which of DynamoDB's two words for throttling is used.
http::Response fault_answer(Fault fault, const http::ServerRequest& request, const Operation& operation,
                            CounterRandom random, const std::string& request_id);

}  // namespace palette::proxy
