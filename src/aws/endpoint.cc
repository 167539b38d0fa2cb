// Where a service is: its region and its address.
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "aws/profile.h"
#include "aws/service.h"
#include "base/json.h"

namespace palette::aws {
namespace {

// Domains of AWS's partitions by the beginning of the region; all others are amazonaws.com.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kDomains = {{{"cn-", "amazonaws.com.cn"},
                                                                                    {"us-iso-", "c2s.ic.gov"},
                                                                                    {"us-isob-", "sc2s.sgov.gov"},
                                                                                    {"eu-isoe-", "cloud.adc-e.uk"},
                                                                                    {"us-isof-", "csp.hci.ic.gov"},
                                                                                    {"eusc-", "amazonaws.eu"}}};

std::string_view domain_of(std::string_view region) {
  for (const auto& [prefix, domain] : kDomains) {
    if (region.starts_with(prefix)) return domain;
  }
  return "amazonaws.com";
}

// "Bedrock Runtime" is BEDROCK_RUNTIME in a variable and bedrock_runtime in a profile.
std::string id_of(std::string_view sdk_id, bool upper) {
  std::string out(sdk_id);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    c = c == ' ' || c == '-' ? '_' : static_cast<char>(upper ? std::toupper(byte) : std::tolower(byte));
  }
  return out;
}

bool is_true(std::string_view text) { return text == "true" || text == "True" || text == "TRUE" || text == "1"; }

Result<http::Url> parsed(std::string_view text, std::string_view told_by) {
  Result<http::Url> url = http::Url::parse(text);
  if (!url) return std::unexpected(url.error().at(told_by));
  if (url->target.find('?') != std::string::npos) {
    return fail(ErrorKind::bad_input, "the endpoint has a query ('?'); expected an address such as https://host:port",
                std::string(told_by));
  }
  return url;
}

// What the profile says: its `services` section first, then its own endpoint_url. Empty when neither.
struct Told {
  std::string url, by;
};

Result<Told> told_by_profile(const ServiceName& name, const Environment& environment) {
  const Result<Profiles> profiles = read_profiles(environment);
  if (!profiles) return std::unexpected(profiles.error());
  const Result<ProfileSection> profile = active_profile(*profiles, environment);
  if (!profile) return std::unexpected(profile.error());
  if (is_true(profile->get("ignore_configured_endpoint_urls"))) return Told{};
  const std::string place = "profile " + active_profile_name(environment);
  if (const std::string_view services = profile->get("services"); !services.empty()) {
    const auto section = profiles->services.find(services);
    if (section == profiles->services.end()) {
      return fail(ErrorKind::bad_input,
                  "`services = " + std::string(services) + "` names no section [services " + std::string(services) +
                      "] of " + profiles->config_path,
                  place);
    }
    const auto of_service = section->second.nested.find(id_of(name.sdk_id, false));
    if (of_service != section->second.nested.end()) {
      const auto url = of_service->second.find("endpoint_url");
      if (url != of_service->second.end()) {
        return Told{url->second, "[services " + std::string(services) + "] " + of_service->first + " endpoint_url"};
      }
    }
  }
  return Told{std::string(profile->get("endpoint_url")), place + " endpoint_url"};
}

// "us-east-1a" is in us-east-1, the local zone "us-west-2-lax-1a" in us-west-2: a region ends at its first number.
Result<std::string> region_of_zone(std::string_view zone) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto first = std::find_if(zone.begin(), zone.end(), digit);
  const auto end = std::find_if_not(first, zone.end(), digit);
  if (first == zone.begin() || first == zone.end()) {
    return fail(ErrorKind::corrupt, "the availability zone '" + std::string(zone) + "' is not like us-east-1a");
  }
  return std::string(zone.begin(), end);
}

}  // namespace

std::string region_of(const Environment& environment) {
  for (const std::string_view variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const std::string_view value = environment.get(variable); !value.empty()) return std::string(value);
  }
  // A profile that cannot be read says no region here; endpoint_of and the credentials read it too, and say why.
  const Result<Profiles> profiles = read_profiles(environment);
  if (!profiles) return "";
  const ProfileSection* profile = profiles->find(active_profile_name(environment));
  return profile == nullptr ? "" : std::string(profile->get("region"));
}

async::Task<Result<std::string>> region_of_task(Environment environment, http::Client& http) {
  constexpr std::string_view kVariable = "ECS_CONTAINER_METADATA_URI_V4";
  const std::string base(environment.get(kVariable));
  if (base.empty()) {
    co_return fail(ErrorKind::not_found,
                   "no region is set and this is no ECS task; set AWS_REGION or `region` of the profile");
  }
  const Result<http::Url> url = http::Url::parse(base + "/task");
  if (!url) co_return std::unexpected(url.error().at(kVariable));
  http::Request request;
  request.url = *url;
  request.deadlines = {.connect_ms = 2'000, .first_byte_ms = 2'000, .idle_ms = 2'000, .total_ms = 4'000};
  request.body_bytes_max = 1 * limits::kMiB;
  const http::Outcome<http::Response> answer = co_await http.send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().error.at("task metadata"));
  if (answer->status != 200) {
    co_return fail(ErrorKind::unavailable, "the task metadata answered HTTP " + std::to_string(answer->status),
                   std::string(kVariable));
  }
  const Result<Json> json = parse_json(answer->body);
  if (!json) co_return std::unexpected(json.error().at("task metadata"));
  if (!json->is_object()) co_return fail(ErrorKind::corrupt, "the task metadata is no JSON object");
  const Result<std::string> zone = json_string(json->get_object(), "AvailabilityZone");
  if (!zone) co_return std::unexpected(zone.error().at("task metadata"));
  co_return region_of_zone(*zone);
}

Result<http::Url> endpoint_of(const ServiceName& name, std::string_view region, const Environment& environment) {
  if (!is_true(environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))) {
    for (const std::string& variable :
         {"AWS_ENDPOINT_URL_" + id_of(name.sdk_id, true), std::string("AWS_ENDPOINT_URL")}) {
      if (const std::string_view url = environment.get(variable); !url.empty()) return parsed(url, variable);
    }
    const Result<Told> told = told_by_profile(name, environment);
    if (!told) return std::unexpected(told.error());
    if (!told->url.empty()) return parsed(told->url, told->by);
  }
  const bool plain =
      std::ranges::all_of(region, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (region.empty() || !plain) {
    return fail(
        ErrorKind::bad_input,
        "'" + std::string(region) + "' is no AWS region; set AWS_REGION or `region` of the profile, such as us-east-1");
  }
  return http::Url::parse("https://" + name.host_prefix + "." + std::string(region) + "." +
                          std::string(domain_of(region)));
}

}  // namespace palette::aws
