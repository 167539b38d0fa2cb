// Replies in the services' manner.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace palette::sim {

http::Response json_reply(int status, std::string body);
http::Response text_reply(int status, std::string_view text);

// {"message": …} with x-amzn-ErrorType, as the REST-JSON services of AWS answer.
http::Response aws_error(int status, std::string_view type, std::string_view message);

// {"error": {"message", "type", "param", "code"}}; an empty code is null.
http::Response openai_error(int status, std::string_view type, std::string_view code, std::string_view message);

}  // namespace palette::sim
