// Who asks, as Bedrock writes it into its invocation logs: requestMetadata of Converse, a header of InvokeModel.
#pragma once

#include <string>
#include <string_view>

#include "model/model.h"

namespace palette::model {

// A value that Bedrock takes: at most 256 of [a-zA-Z0-9\s:_@$#=/+,-.] (API reference, RequestMetadata). Everything else
// becomes "_", one per code point.
std::string metadata_value(std::string_view text);

// Does the request say who asks? Without, nothing is sent.
bool has_identity(const CallIdentity& identity);

// Appends {"job":"…","record":"12","step":"…"}.
void append_request_metadata(std::string& out, const CallIdentity& identity);

}  // namespace palette::model
