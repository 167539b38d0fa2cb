// The checks of `doctor` that need no network: this machine, the job file, what the environment says.
#pragma once

#include <filesystem>
#include <optional>

#include "aws/environment.h"
#include "cli/doctor_report.h"
#include "generate/preflight.h"

namespace palette::cli {

// Can it be written, is there room?
void check_data_dir(const std::filesystem::path& data_dir, DoctorReport& report);

// `wanted`: calls in flight that the job asks for; none without a job.
void check_open_files(std::optional<std::int64_t> wanted, DoctorReport& report);

// Every finding of the preflight is a line.
void check_job(const std::filesystem::path& job_file, const generate::Preflight& checked, DoctorReport& report);

void check_region(const aws::Environment& environment, bool is_needed, DoctorReport& report);

// Endpoints that the environment puts in place of a service's own.
void check_endpoints(const aws::Environment& environment, DoctorReport& report);

// Does anything in the environment or the home folder say where AWS credentials come from?
bool has_aws_credentials(const aws::Environment& environment);

}  // namespace palette::cli
