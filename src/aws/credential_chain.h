// The sources in their order.
#pragma once

#include <memory>

#include "aws/credential_sources.h"

namespace palette::aws {

// Asks one after the other until one is configured, and from then on only that one: an identity does not change while
// the program runs. denied when none is; the message names each and why not.
std::unique_ptr<CredentialSource> make_credential_chain(SourceParts parts);

}  // namespace palette::aws
