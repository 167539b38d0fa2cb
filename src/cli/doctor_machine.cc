#include "cli/doctor_machine.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "aws/profile.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "http/client.h"

namespace palette::cli {
namespace {

constexpr std::uintmax_t kFreeBytesLow = 1024 * limits::kMiB, kFreeBytesNone = 64 * limits::kMiB;

std::string size_text(std::uintmax_t bytes) {
  const std::uintmax_t mib = bytes / limits::kMiB;
  return mib >= 10 * 1024 ? grouped(static_cast<std::int64_t>(mib / 1024)) + " GiB"
                          : grouped(static_cast<std::int64_t>(mib)) + " MiB";
}

}  // namespace

void check_data_dir(const std::filesystem::path& data_dir, DoctorReport& report) {
  constexpr std::string_view kCheck = "data folder";
  std::error_code ec;
  std::filesystem::path at = data_dir;
  while (!at.empty() && !std::filesystem::exists(at, ec) && at != at.parent_path()) at = at.parent_path();
  if (at.empty()) at = ".";
  if (!std::filesystem::is_directory(at, ec))
    return report.fail(kCheck, at.string() + " is a file; name another folder with --data-dir");
  if (::access(at.c_str(), W_OK | X_OK) != 0) {
    return report.fail(
        kCheck, at.string() + " cannot be written: " + std::strerror(errno) + "; name another folder with --data-dir");
  }
  const auto space = std::filesystem::space(at, ec);
  if (ec) return report.warn(kCheck, data_dir.string() + " can be written; free space is not known: " + ec.message());
  const std::string found = data_dir.string() + (at == data_dir ? " can be written, " : " can be made, ") +
                            size_text(space.available) + " free";
  if (space.available < kFreeBytesNone) return report.fail(kCheck, found + "; make room, or name another --data-dir");
  if (space.available < kFreeBytesLow) return report.warn(kCheck, found + ": large datasets need more");
  report.ok(kCheck, found);
}

void check_open_files(std::optional<std::int64_t> wanted, DoctorReport& report) {
  constexpr std::string_view kCheck = "open files";
  const auto most = static_cast<std::uint64_t>(limits::kConcurrencyMax);
  const auto raised = http::raise_file_limit(most + kFilesBesideCalls);
  if (!raised) return report.fail(kCheck, raised.error().text());
  const auto limit = static_cast<std::int64_t>(std::min<std::uint64_t>(*raised, INT64_MAX));
  const std::int64_t calls = std::clamp<std::int64_t>(limit - kFilesBesideCalls, 0, limits::kConcurrencyMax);
  const std::string found = grouped(limit) + " at once: " + counted(calls, "call") + " in flight";
  if (calls < wanted.value_or(limits::kConcurrencyDefault)) {
    return report.warn(kCheck,
                       found +
                           (wanted ? ", the job asks for " + grouped(*wanted)
                                   : ", a job asks for " + grouped(limits::kConcurrencyDefault) + " by default") +
                           "; raise the limit (ulimit -n), or lower concurrency");
  }
  report.ok(kCheck, found);
}

void check_job(const std::filesystem::path& job_file, const generate::Preflight& checked, DoctorReport& report) {
  constexpr std::string_view kCheck = "job";
  for (const job::Diagnostic& finding : checked.diagnostics.sorted()) {
    const bool is_error = finding.severity == job::Diagnostic::Severity::error;
    report.add(is_error ? DoctorReport::Level::fail : DoctorReport::Level::warn, kCheck, finding.where_and_what());
  }
  if (!checked.job) return;
  report.ok(kCheck, job_file.string() + ": " +
                        counted(static_cast<std::int64_t>(checked.job->compiled.steps.size()), "step") + ", " +
                        counted(checked.job->spec.num_records, "record"));
}

void check_region(const aws::Environment& environment, bool is_needed, DoctorReport& report) {
  constexpr std::string_view kCheck = "AWS region";
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto value = environment.get(variable); !value.empty())
      return report.ok(kCheck, std::string(value) + " (" + variable + ")");
  }
  const std::string name = aws::active_profile_name(environment);
  const auto profiles = aws::read_profiles(environment);
  if (!profiles) return report.fail(kCheck, profiles.error().text());
  const aws::ProfileSection* profile = profiles->find(name);
  if (profile != nullptr && !profile->get("region").empty())
    return report.ok(kCheck, std::string(profile->get("region")) + " (profile " + name + ")");
  if (is_needed) return report.fail(kCheck, "none is set; set AWS_REGION, e.g. AWS_REGION=us-east-1");
  report.ok(kCheck, "none is set; only Bedrock needs one");
}

void check_endpoints(const aws::Environment& environment, DoctorReport& report) {
  for (const auto& [name, value] : environment.variables) {
    const bool overrides = name.starts_with("AWS_ENDPOINT_URL") || name == "OPENAI_BASE_URL";
    if (!overrides || value.empty()) continue;
    const auto url = http::Url::parse(value);
    if (!url) {  // it may hold a password: it is not shown
      report.fail("endpoint", name +
                                  " is no http or https URL (without user name and password), such as "
                                  "http://127.0.0.1:8080");
    } else {
      report.ok("endpoint", name + " sends calls to " + url->origin());
    }
  }
}

bool has_aws_credentials(const aws::Environment& environment) {
  constexpr std::array<std::string_view, 5> kVariables = {
      "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI"};
  if (std::ranges::any_of(kVariables, [&](std::string_view name) { return !environment.get(name).empty(); }))
    return true;
  const auto profiles = aws::read_profiles(environment);
  return !profiles || profiles->find(aws::active_profile_name(environment)) != nullptr;
}

}  // namespace palette::cli
