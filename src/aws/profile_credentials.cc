// Credentials of a profile, and of the profiles that it stands on.
#include <algorithm>

#include "aws/child_process.h"
#include "aws/credential_parts.h"
#include "aws/profile.h"
#include "aws/service.h"
#include "aws/small_file.h"
#include "aws/sso.h"
#include "aws/sts.h"
#include "aws/timestamps.h"

namespace palette::aws {
namespace {

// One look into a profile. `below` are the profiles that led here by source_profile.
struct Look {
  SourceParts parts;
  std::shared_ptr<const Profiles> profiles;
  std::string name;
  std::vector<std::string> below;

  const ProfileSection& section() const { return *profiles->find(name); }
  std::string value(std::string_view key) const { return std::string(section().get(key)); }
  std::string source() const { return "profile " + name; }
  std::string region() const {
    const std::string own = value("region");
    return own.empty() ? region_of(*parts.environment) : own;
  }
};

async::Task<Result<Credentials>> fetch_profile(Look look);

Result<Credentials> static_keys(const Look& look) {
  return credentials_of(
      {look.value("aws_access_key_id"), look.value("aws_secret_access_key"), look.value("aws_session_token"), ""},
      look.source());
}

// The first line of what a program said, without control characters: enough to know why.
std::string first_words(std::string_view text) {
  std::string out(text.substr(0, std::min<std::size_t>(text.find('\n'), 200)));
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return out;
}

async::Task<Result<Credentials>> fetch_from_process(Look look) {
  const std::string source = look.source() + " (credential_process)";
  Result<std::vector<std::string>> words = split_command(look.value("credential_process"));
  if (!words) co_return std::unexpected(words.error().at(source));
  const Result<ProcessOutput> output = co_await run_process(std::move(*words), look.parts.environment, {});
  if (!output) {
    Error error = output.error();
    if (!error.where.empty()) error.message = error.where + ": " + error.message;
    error.where = source;
    co_return std::unexpected(std::move(error));
  }
  if (output->exit_code != 0) {
    const std::string said = first_words(output->error_text);
    co_return fail(ErrorKind::denied,
                   "the program ended with exit code " + std::to_string(output->exit_code) +
                       (said.empty() ? std::string("; run it by hand to see why") : ": " + said),
                   source);
  }
  const Result<JsonObject> object = secret_json(output->out, source);
  if (!object) co_return std::unexpected(object.error());
  const Json* version = object->if_contains("Version");
  if (version == nullptr || !version->is_int64() || version->get_int64() != 1) {
    co_return fail(ErrorKind::bad_input, "the program's answer has no \"Version\": 1, the only one that is known",
                   source);
  }
  co_return credentials_of(*object, "SessionToken", source);
}

Result<RoleRequest> role_request(const Look& look) {
  RoleRequest request;
  request.role_arn = look.value("role_arn");
  request.session_name = look.value("role_session_name");
  request.external_id = look.value("external_id");
  request.duration_seconds = look.value("duration_seconds");
  request.region = look.region();
  request.source = look.source() + " (role)";
  if (!request.duration_seconds.empty() && !parse_digits(request.duration_seconds)) {
    return fail(ErrorKind::bad_input, "duration_seconds is no whole number", look.source());
  }
  if (!look.value("mfa_serial").empty()) {
    return fail(
        ErrorKind::bad_input,
        "the role wants a code of an MFA device (mfa_serial), which nobody is there to type; get the credentials "
        "with the AWS CLI and put them into the environment",
        look.source());
  }
  return request;
}

async::Task<Result<Credentials>> fetch_named_source(Look look, std::string credential_source) {
  if (credential_source == "Environment") co_return co_await fetch_from_environment(std::move(look.parts));
  if (credential_source == "EcsContainer") co_return co_await fetch_from_container(std::move(look.parts));
  if (credential_source == "Ec2InstanceMetadata") {
    co_return co_await fetch_from_instance_metadata(std::move(look.parts));
  }
  co_return fail(ErrorKind::bad_input, "credential_source '" + credential_source +
                                           "' is not known; expected Environment, EcsContainer or Ec2InstanceMetadata");
}

async::Task<Result<Credentials>> fetch_source_profile(Look look, std::string name) {
  Look source = look;
  source.below.push_back(look.name);
  source.name = name;
  if (look.profiles->find(name) == nullptr) {
    co_return fail(ErrorKind::bad_input, "source_profile names '" + name + "', which does not exist");
  }
  // A profile may be its own source when it has keys.
  const bool cycle = std::ranges::find(source.below, name) != source.below.end();
  if (cycle && source.value("aws_access_key_id").empty()) {
    std::string way;
    for (const std::string& step : source.below) way += step + " -> ";
    co_return fail(ErrorKind::bad_input, "the source_profile settings go in a circle: " + way + name);
  }
  co_return co_await fetch_profile(std::move(source));
}

async::Task<Result<Credentials>> fetch_role(Look look) {
  const std::string place = look.source();
  Result<RoleRequest> request = role_request(look);
  if (!request) co_return std::unexpected(request.error());
  if (const std::string token_file = look.value("web_identity_token_file"); !token_file.empty()) {
    request->source = place + " (web identity)";
    const std::filesystem::path path = expand_home(token_file, *look.parts.environment);
    co_return co_await assume_role_with_web_identity(look.parts, std::move(*request), path);
  }
  const std::string source_profile = look.value("source_profile");
  const std::string credential_source = look.value("credential_source");
  if (source_profile.empty() == credential_source.empty()) {
    co_return fail(ErrorKind::bad_input,
                   std::string(source_profile.empty() ? "role_arn has neither source_profile nor credential_source"
                                                      : "role_arn has both source_profile and credential_source") +
                       "; give one of them",
                   place);
  }
  Result<Credentials> by = source_profile.empty() ? co_await fetch_named_source(look, credential_source)
                                                  : co_await fetch_source_profile(look, source_profile);
  if (!by) {
    // The profile names this source: no other may be asked instead.
    Error error = by.error().at(place);
    if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::denied;
    co_return std::unexpected(std::move(error));
  }
  co_return co_await assume_role(look.parts, std::move(*request), std::move(*by));
}

Result<SsoSettings> sso_settings(const Look& look) {
  SsoSettings out;
  out.account_id = look.value("sso_account_id");
  out.role_name = look.value("sso_role_name");
  out.profile = look.name;
  std::string start_url = look.value("sso_start_url");
  out.region = look.value("sso_region");
  out.cache_key = start_url;
  if (const std::string session = look.value("sso_session"); !session.empty()) {
    const auto found = look.profiles->sso_sessions.find(session);
    if (found == look.profiles->sso_sessions.end()) {
      return fail(ErrorKind::bad_input,
                  "sso_session names '" + session + "', but there is no section [sso-session " + session + "] in " +
                      look.profiles->config_path,
                  look.source());
    }
    start_url = found->second.get("sso_start_url");
    out.region = found->second.get("sso_region");
    out.cache_key = session;
  }
  for (const auto& [name, value] :
       {std::pair("sso_account_id", out.account_id), std::pair("sso_role_name", out.role_name),
        std::pair("sso_start_url", start_url), std::pair("sso_region", out.region)}) {
    if (value.empty()) {
      return fail(ErrorKind::bad_input,
                  std::string(name) +
                      " is missing; SSO needs sso_account_id, sso_role_name, and sso_session or "
                      "sso_start_url with sso_region",
                  look.source());
    }
  }
  return out;
}

async::Task<Result<Credentials>> fetch_profile(Look look) {
  const bool is_source = !look.below.empty();
  const bool has_keys = !look.value("aws_access_key_id").empty() || !look.value("aws_secret_access_key").empty();
  if (is_source && has_keys) co_return static_keys(look);
  if (!look.value("role_arn").empty()) co_return co_await fetch_role(std::move(look));
  if (!look.value("sso_session").empty() || !look.value("sso_start_url").empty()) {
    Result<SsoSettings> settings = sso_settings(look);
    if (!settings) co_return std::unexpected(settings.error());
    co_return co_await fetch_from_sso(look.parts, std::move(*settings));
  }
  if (has_keys) co_return static_keys(look);
  if (!look.value("credential_process").empty()) co_return co_await fetch_from_process(std::move(look));
  if (!look.value("login_session").empty()) {
    co_return fail(ErrorKind::bad_input,
                   "login_session is not read here; add to the profile: credential_process = aws configure "
                   "export-credentials --format process --profile " +
                       look.name,
                   look.source());
  }
  co_return fail(ErrorKind::not_found, "the profile " + look.name + " has no credentials");
}

}  // namespace

async::Task<Result<Credentials>> fetch_from_profile(SourceParts parts) {
  Result<Profiles> profiles = read_profiles(*parts.environment);
  if (!profiles) co_return std::unexpected(profiles.error());
  const Result<ProfileSection> active = active_profile(*profiles, *parts.environment);
  if (!active) co_return std::unexpected(active.error());
  std::string name = active_profile_name(*parts.environment);
  if (profiles->find(name) == nullptr) {
    co_return fail(ErrorKind::not_found, "there is no profile " + name + " in " + profiles->config_path + " and " +
                                             profiles->credentials_path);
  }
  Look look;
  look.parts = std::move(parts);
  look.profiles = std::make_shared<const Profiles>(std::move(*profiles));
  look.name = std::move(name);
  co_return co_await fetch_profile(std::move(look));
}

}  // namespace palette::aws
