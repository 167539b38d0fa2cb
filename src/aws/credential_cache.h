// Credentials that are kept, and renewed before they end (reference: SDK, RefreshableCredentials).
#pragma once

#include <cstdint>
#include <memory>

#include "aws/credentials.h"
#include "base/time.h"

namespace palette::aws {

inline constexpr std::int64_t kAdvisoryWindow_ms = 15 * 60'000;   // one task renews, all others go on
inline constexpr std::int64_t kMandatoryWindow_ms = 10 * 60'000;  // all wait for it
// A source that gives out what ends soon, or fails, is not asked at every call.
inline constexpr std::int64_t kBetweenRefreshes_ms = 60'000;

// `clock` must outlive it. A refresh under way when it is destroyed is cancelled.
std::shared_ptr<CredentialProvider> keep_fresh(std::unique_ptr<CredentialSource> source, const Clock& clock);

}  // namespace palette::aws
