// The profiles of this user: both files read, merged, and looked up by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/environment.h"
#include "aws/profile_file.h"
#include "base/result.h"

namespace palette::aws {

struct Profiles {
  ProfileSections profiles;      // by name: "default", "dev"
  ProfileSections sso_sessions;  // of [sso-session x]
  ProfileSections services;      // of [services x]
  std::string config_path, credentials_path;

  // Null when there is none.
  const ProfileSection* find(std::string_view name) const;
};

// AWS_PROFILE, or "default".
std::string active_profile_name(const Environment& environment);

// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/config and ~/.aws/credentials; a file that is not there is
// an empty one. The config file's profiles are [default] and [profile x], the other's [x]; what the credentials file
// says wins. bad_input for a line that is none, io for a file that cannot be read.
Result<Profiles> read_profiles(const Environment& environment);

// The active profile of those; empty when `default` does not exist, bad_input when AWS_PROFILE names one that does not.
Result<ProfileSection> active_profile(const Profiles& profiles, const Environment& environment);

}  // namespace palette::aws
