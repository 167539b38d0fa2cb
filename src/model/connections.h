// Everything that real models need to be reached: one HTTP client, AWS credentials, a service for each region, the
// addresses and keys of OpenAI-compatible servers. Made when the first model needs it.
//
//   Connections connections(loop.context().get_executor(), aws::Environment::of_process(), clock);
//   Result<std::shared_ptr<Provider>> provider = connections.provider_of(model);
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "aws/service.h"
#include "http/client.h"
#include "model/provider.h"

namespace palette::model {

// Where a model is asked, as far as the environment says; no call is made.
struct ModelAddress {
  http::Url url;         // Bedrock: the endpoint; OpenAI: the base, with its /v1
  std::string region;    // Bedrock only
  std::string api_key;   // bearer token, or the key of an OpenAI-compatible server; may be empty
  std::string key_from;  // the variable that it came from
};

// bad_input with what to set when the environment does not say where: no region, no key, an address that is no URL.
Result<ModelAddress> address_of(const job::ResolvedModel& model, const aws::Environment& environment);

class Connections {
 public:
  // `clock` must outlive it.
  Connections(boost::asio::any_io_executor executor, aws::Environment environment, const Clock& clock);

  Result<std::shared_ptr<Provider>> provider_of(const job::ResolvedModel& model);

  // Of the environment's chain. Errors: bad_input for proxies or certificates that cannot be used.
  Result<std::shared_ptr<aws::CredentialProvider>> credentials();
  Result<std::shared_ptr<http::Client>> http();
  Result<std::shared_ptr<aws::Service>> bedrock(const ModelAddress& address);
  // Are there credentials for the first models of a job's steps, where those are at Bedrock? `denied` says what was
  // looked at.
  async::Task<Status> check_credentials(std::vector<std::vector<job::ResolvedModel>> models_of_steps);
  const aws::Environment& environment() const { return environment_; }

 private:
  boost::asio::any_io_executor executor_;
  aws::Environment environment_;
  const Clock& clock_;
  std::shared_ptr<http::Client> http_;
  std::shared_ptr<aws::CredentialProvider> credentials_;
  std::map<std::string, std::shared_ptr<aws::Service>> bedrock_;  // by region
};

}  // namespace palette::model
