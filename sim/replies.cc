#include "replies.h"

#include "base/json.h"

namespace palette::sim {

http::Response json_reply(int status, std::string body) {
  http::Response reply;
  reply.status = status;
  reply.headers.add("Content-Type", "application/json");
  reply.body = std::move(body);
  return reply;
}

http::Response text_reply(int status, std::string_view text) {
  http::Response reply;
  reply.status = status;
  reply.headers.add("Content-Type", "text/plain");
  reply.body = text;
  return reply;
}

http::Response aws_error(int status, std::string_view type, std::string_view message) {
  std::string body = R"({"message":)";
  append_json_string(body, message);
  http::Response reply = json_reply(status, body + "}");
  reply.headers.add("x-amzn-ErrorType", std::string(type));
  return reply;
}

http::Response openai_error(int status, std::string_view type, std::string_view code, std::string_view message) {
  std::string body = R"({"error":{"message":)";
  append_json_string(body, message);
  body += R"(,"type":)";
  append_json_string(body, type);
  body += R"(,"param":null,"code":)";
  if (code.empty())
    body += "null";
  else
    append_json_string(body, code);
  return json_reply(status, body + "}}");
}

}  // namespace palette::sim
