#include "cli/workspace.h"

#include <optional>
#include <utility>

#include "http/client.h"
#include "store/local/file_lease.h"
#include "store/local/file_object_store.h"
#include "store/local/sqlite_job_store.h"

namespace palette::cli {

// In the order in which they lean on each other: the loop goes last.
struct Workspace::Parts {
  std::filesystem::path data_dir;
  std::unique_ptr<async::EventLoop> loop = std::make_unique<async::EventLoop>();
  std::unique_ptr<async::BlockingPool> pool = std::make_unique<async::BlockingPool>(4);
  std::optional<store::AwsNames> aws_names = {};  // none: local
  aws::Environment environment = {};
  std::shared_ptr<http::Client> http = {};
  std::shared_ptr<aws::CredentialProvider> credentials = {};
  std::unique_ptr<store::ObjectStore> objects = {};
  std::unique_ptr<store::JobStore> jobs = {};
};

Workspace::Workspace(std::unique_ptr<Parts> parts)
    : data_dir(parts->data_dir),
      loop(*parts->loop),
      pool(*parts->pool),
      objects(*parts->objects),
      jobs(parts->jobs),
      parts_(std::move(parts)) {}

Workspace::~Workspace() = default;

Result<std::unique_ptr<Workspace>> Workspace::open(const std::filesystem::path& data_dir) {
  std::error_code ec;
  std::filesystem::create_directories(data_dir, ec);
  if (ec) return std::unexpected(system_error("create folder", data_dir.string(), ec.value()));
  auto parts = std::make_unique<Parts>();
  parts->data_dir = data_dir;
  auto jobs = store::SqliteJobStore::open(data_dir / "jobs.db", *parts->pool);
  if (!jobs) return std::unexpected(jobs.error());
  parts->jobs = std::move(*jobs);
  parts->objects = std::make_unique<store::FileObjectStore>(data_dir / "objects", *parts->pool);
  return std::unique_ptr<Workspace>(new Workspace(std::move(parts)));
}

Result<std::unique_ptr<Workspace>> Workspace::open_existing(const std::filesystem::path& data_dir) {
  std::error_code ec;
  if (!std::filesystem::exists(data_dir / "jobs.db", ec)) {
    return fail(ErrorKind::not_found,
                "there are no jobs here; name the folder with --data-dir, or make a job with plot-palette run",
                data_dir.string());
  }
  return open(data_dir);
}

Result<std::unique_ptr<Workspace>> Workspace::open_aws(const aws::Environment& environment,
                                                       const std::filesystem::path& data_dir) {
  auto names = store::aws_names_of(environment, false);
  if (!names) return std::unexpected(names.error());
  const auto settings = http::client_settings_from_environment();
  if (!settings) return std::unexpected(settings.error());
  auto parts = std::make_unique<Parts>();
  parts->data_dir = data_dir;
  parts->environment = environment;
  parts->http = std::make_shared<http::Client>(parts->loop->context().get_executor(), *settings);
  parts->credentials = aws::make_credential_provider(environment, *parts->http, system_clock());
  store::AwsStoreParts store_parts;
  store_parts.environment = environment;
  store_parts.http = parts->http;
  store_parts.credentials = parts->credentials;
  store_parts.clock = &system_clock();
  store_parts.pool = parts->pool.get();
  auto stores = store::open_aws_stores(*names, store_parts);
  if (!stores) return std::unexpected(stores.error());
  parts->jobs = std::move(stores->jobs);
  parts->objects = std::move(stores->objects);
  parts->aws_names = std::move(*names);
  return std::unique_ptr<Workspace>(new Workspace(std::move(parts)));
}

bool Workspace::is_in_aws() const { return parts_->aws_names.has_value(); }

Result<std::shared_ptr<aws::Service>> Workspace::service(const aws::ServiceName& name) const {
  if (!is_in_aws()) return fail(ErrorKind::internal, "a local place has no services of AWS");
  const std::string& region = parts_->aws_names->region;
  const auto endpoint = aws::endpoint_of(name, region, parts_->environment);
  if (!endpoint) return std::unexpected(endpoint.error());
  aws::ServiceParts parts{
      .http = parts_->http, .credentials = parts_->credentials, .clock = &system_clock(), .bearer_token = {}};
  return std::make_shared<aws::Service>(name, *endpoint, region, std::move(parts));
}

void Workspace::mend_status(store::JobItem& job) const {
  if (is_in_aws()) return;
  if (job.status == job::JobStatus::running && !store::FileLease::is_held(lease_file(job.id))) {
    job.status = job::JobStatus::queued;
  }
}

Result<bool> is_aws_meant(const CommonOptions& options, const aws::Environment& environment) {
  const std::string_view place = environment.get("PALETTE_STORE");
  if (!place.empty() && place != "local" && place != "aws") {
    return fail(ErrorKind::bad_input,
                "found '" + std::string(place) + "'; allowed are local (the data directory) and aws", "PALETTE_STORE");
  }
  return options.aws || place == "aws";
}

Result<std::unique_ptr<Workspace>> open_place(const CommonOptions& options) {
  const aws::Environment environment = aws::Environment::of_process();
  const Result<bool> in_aws = is_aws_meant(options, environment);
  if (!in_aws) return std::unexpected(in_aws.error());
  return *in_aws ? Workspace::open_aws(environment, options.data_dir) : Workspace::open_existing(options.data_dir);
}

async::Task<Result<store::JobItem>> find_job(Workspace* workspace, JobId id) {
  Result<store::JobItem> job = co_await workspace->jobs->get_job(id);
  if (!job && job.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found,
                   "there is no job '" + id.text + "'; plot-palette jobs" + place_flag(*workspace) + " lists them");
  }
  co_return job;
}

std::string place_flag(const Workspace& workspace) {
  return workspace.is_in_aws() ? " --aws" : data_dir_flag(workspace.data_dir);
}

std::filesystem::path spool_dir_of(const std::filesystem::path& data_dir) {
  std::error_code ec;
  // While a job is only checked, the data directory is not made.
  return std::filesystem::is_directory(data_dir, ec) ? data_dir / "tmp" : std::filesystem::temp_directory_path(ec);
}

}  // namespace palette::cli
