// Is a request signed by somebody we know? The reverse of aws/sigv4.h, with the errors of AWS (reference: IAM user
// guide, "Troubleshoot Signature Version 4 signed requests").
#pragma once

#include <expected>

#include "base/time.h"
#include "http/server.h"
#include "keyring.h"

namespace palette::sim {

// Nothing when the signature is good; else the reply that refuses it. Headers that are signed must include host and
// every x-amz-* one; the service of the scope must be "bedrock"; five minutes of clock skew are allowed.
std::expected<void, http::Response> check_signature(const http::ServerRequest& request, const Keyring& keyring,
                                                    UtcTime now);

}  // namespace palette::sim
