#include "aws/profile.h"

#include "aws/small_file.h"
#include "base/nearest.h"

namespace palette::aws {
namespace {

Result<ProfileSections> sections_of(const std::filesystem::path& path) {
  const Result<std::optional<std::string>> text = read_small_file(path);
  if (!text) return std::unexpected(text.error());
  return *text ? parse_profile_file(**text, path.native()) : ProfileSections();
}

std::filesystem::path path_of(const Environment& environment, std::string_view variable, std::string_view name) {
  const std::string_view set = environment.get(variable);
  if (!set.empty()) return expand_home(set, environment);
  // Without a home there is no file, least of all one of the current folder.
  return environment.home.empty() ? std::filesystem::path() : environment.home / ".aws" / name;
}

// The x of "profile x"; empty when it is no such section.
std::string_view after_word(std::string_view key, std::string_view word) {
  const bool matches = key.size() > word.size() + 1 && key.starts_with(word) && key[word.size()] == ' ';
  return matches ? key.substr(word.size() + 1) : std::string_view();
}

void take_config(const ProfileSections& sections, Profiles& out) {
  for (const auto& [key, section] : sections) {
    if (const std::string_view name = after_word(key, "profile"); !name.empty()) {
      // [profile default] wins over [default], which sorts before it.
      out.profiles[std::string(name)].merge(section);
    } else if (const std::string_view session = after_word(key, "sso-session"); !session.empty()) {
      out.sso_sessions[std::string(session)].merge(section);
    } else if (const std::string_view services = after_word(key, "services"); !services.empty()) {
      out.services[std::string(services)].merge(section);
    } else if (key == "default") {
      out.profiles[key].merge(section);
    }
  }
}

void take_credentials(const ProfileSections& sections, Profiles& out) {
  for (const auto& [key, section] : sections) {
    if (after_word(key, "profile").empty()) out.profiles[key].merge(section);
  }
}

}  // namespace

const ProfileSection* Profiles::find(std::string_view name) const {
  const auto found = profiles.find(name);
  return found == profiles.end() ? nullptr : &found->second;
}

std::string active_profile_name(const Environment& environment) {
  const std::string_view name = environment.get("AWS_PROFILE");
  return name.empty() ? "default" : std::string(name);
}

Result<Profiles> read_profiles(const Environment& environment) {
  const std::filesystem::path config_path = path_of(environment, "AWS_CONFIG_FILE", "config");
  const std::filesystem::path credentials_path = path_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  const Result<ProfileSections> config = sections_of(config_path);
  if (!config) return std::unexpected(config.error());
  const Result<ProfileSections> credentials = sections_of(credentials_path);
  if (!credentials) return std::unexpected(credentials.error());
  Profiles out;
  out.config_path = config_path.native();
  out.credentials_path = credentials_path.native();
  take_config(*config, out);
  take_credentials(*credentials, out);
  return out;
}

Result<ProfileSection> active_profile(const Profiles& profiles, const Environment& environment) {
  const std::string name = active_profile_name(environment);
  if (const ProfileSection* found = profiles.find(name)) return *found;
  if (environment.get("AWS_PROFILE").empty()) return ProfileSection();
  std::vector<std::string_view> known;
  for (const auto& [other, section] : profiles.profiles) known.push_back(other);
  const std::string_view nearest = nearest_name(name, known);
  return fail(ErrorKind::bad_input, "AWS_PROFILE names the profile '" + name + "', which is neither in " +
                                        profiles.config_path + " nor in " + profiles.credentials_path +
                                        (nearest.empty() ? std::string("; unset it or add the profile")
                                                         : "; did you mean '" + std::string(nearest) + "'?"));
}

}  // namespace palette::aws
