// The format of ~/.aws/config and ~/.aws/credentials (AWS SDKs and Tools reference guide, "Format of the shared config
// and credentials files").
//
//   file     = { blank | comment | section | property | nested }
//   comment  = ("#" | ";") text                     at the very start of a line
//   section  = "[" words "]" [blank-comment]
//   property = name "=" value [blank-comment]       names without case
//   nested   = blanks (name "=" value | text)       below a property: of it, when its own value is empty;
//                                                   else a further line of its value
//   blank-comment = blank ("#" | ";") text
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette::aws {

using ProfileValues = std::map<std::string, std::string, std::less<>>;

struct ProfileSection {
  ProfileValues values;
  std::map<std::string, ProfileValues, std::less<>> nested;  // "bedrock_runtime" -> {"endpoint_url": …}

  // "" when it is not there.
  std::string_view get(std::string_view name) const;
  // Those of `other` win.
  void merge(const ProfileSection& other);
};

// The key is the text between the brackets, blanks made one and quotes removed: "profile dev", "sso-session corp".
// A section that comes twice is one; later values win.
using ProfileSections = std::map<std::string, ProfileSection, std::less<>>;

// bad_input with the line for what does not follow the grammar; `path` is only for the message.
Result<ProfileSections> parse_profile_file(std::string_view text, std::string_view path);

}  // namespace palette::aws
