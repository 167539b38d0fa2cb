#include "aws/credential_chain.h"

#include <optional>
#include <random>
#include <vector>

#include "aws/credential_cache.h"

namespace palette::aws {
namespace {

using Fetch = async::Task<Result<Credentials>> (*)(SourceParts);

struct Step {
  std::string_view name;
  Fetch fetch;
};

std::vector<Step> steps_of(const SourceParts& parts) {
  std::vector<Step> steps;
  const bool profile_is_named = !parts.variable("AWS_PROFILE").empty();
  if (!profile_is_named) steps.push_back({"environment", fetch_from_environment});
  steps.push_back({"profile", fetch_from_profile});
  steps.push_back({"web identity", fetch_from_web_identity});
  const bool in_container = !parts.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
                            !parts.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty();
  // Either: a task that has an endpoint of its own must never fall back to the role of the machine below it.
  steps.push_back(in_container ? Step{"container", fetch_from_container}
                               : Step{"instance metadata", fetch_from_instance_metadata});
  return steps;
}

struct Search {
  SourceParts parts;
  std::vector<Step> steps;
  std::optional<Step> found;
};

async::Task<Result<Credentials>> fetch_from_steps(std::shared_ptr<Search> search) {
  const std::vector<Step> steps = search->found ? std::vector<Step>{*search->found} : search->steps;
  std::string looked_at;
  for (const Step& step : steps) {
    Result<Credentials> credentials = co_await step.fetch(search->parts);
    if (credentials) {
      search->found = step;
      co_return credentials;
    }
    if (credentials.error().kind != ErrorKind::not_found) co_return credentials;
    looked_at +=
        std::string(looked_at.empty() ? "" : "; ") + std::string(step.name) + ": " + credentials.error().message;
  }
  if (search->found) {
    co_return fail(ErrorKind::denied, "the AWS credentials are gone from where they were (" + looked_at + ")");
  }
  co_return fail(ErrorKind::denied, "no AWS credentials were found (" + looked_at +
                                        "); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run "
                                        "`aws configure`");
}

class Chain final : public CredentialSource {
 public:
  explicit Chain(SourceParts parts) : search_(std::make_shared<Search>()) {
    search_->steps = steps_of(parts);
    search_->parts = std::move(parts);
  }
  async::Task<Result<Credentials>> fetch() override { return fetch_from_steps(search_); }

 private:
  std::shared_ptr<Search> search_;
};

std::uint64_t bits_of_the_system() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

std::unique_ptr<CredentialSource> make_credential_chain(SourceParts parts) {
  return std::make_unique<Chain>(std::move(parts));
}

std::shared_ptr<CredentialProvider> make_credential_provider(Environment environment, http::Client& http,
                                                             const Clock& clock) {
  SourceParts parts;
  parts.environment = std::make_shared<const Environment>(std::move(environment));
  parts.http = &http;
  parts.clock = &clock;
  parts.random_bits = bits_of_the_system;
  return keep_fresh(make_credential_chain(std::move(parts)), clock);
}

}  // namespace palette::aws
