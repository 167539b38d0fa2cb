// Requests as AWS clients send them, for the tests of this folder.
#pragma once

#include <string>

#include "http/server.h"

namespace palette::proxy::testing {

inline http::ServerRequest dynamodb_request(std::string operation, std::string body = "{}") {
  return {"POST", "/", {{"X-Amz-Target", "DynamoDB_20120810." + std::move(operation)}}, std::move(body), {}};
}

inline http::ServerRequest s3_request(std::string method, std::string target, http::Headers headers = {}) {
  return {std::move(method), std::move(target), std::move(headers), {}, {}};
}

}  // namespace palette::proxy::testing
