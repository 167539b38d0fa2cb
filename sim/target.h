// What a request asks for, by its method and path.
#pragma once

#include <string>
#include <string_view>

#include "http/server.h"

namespace palette::sim {

enum class Route : std::uint8_t {
  converse,      // POST /model/{id}/converse
  invoke,        // POST /model/{id}/invoke
  count_tokens,  // POST /model/{id}/count-tokens
  chat,          // POST /v1/chat/completions, or without /v1
  models,        // GET /v1/models, or without /v1
  model,         // GET /v1/models/{id}
  admin,         // /_sim/…
  other,
};

struct Target {
  Route route = Route::other;
  std::string model;  // decoded
};

Target target_of(const http::ServerRequest& request);

// The path without its query.
std::string_view path_of(const http::ServerRequest& request);
// A query parameter's value as it stands there; "" when it is absent.
std::string_view query_value(const http::ServerRequest& request, std::string_view name);

}  // namespace palette::sim
