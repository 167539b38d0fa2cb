#include "model/connections.h"

#include "model/providers.h"

namespace palette::model {
namespace {

constexpr std::string_view kOpenaiUrl = "https://api.openai.com/v1";
const aws::ServiceName kBedrockRuntime{"bedrock-runtime", "bedrock", "Bedrock Runtime"};

// The answer's own deadline comes with each request (ModelRequest::answer_ms).
constexpr http::Deadlines kDeadlines{
    .connect_ms = 10'000, .first_byte_ms = 900'000, .idle_ms = 60'000, .total_ms = 960'000};

// "arn:aws:bedrock:us-west-2:…" is in us-west-2, wherever we are.
std::string region_of_arn(std::string_view id) {
  if (!id.starts_with("arn:")) return {};
  std::size_t at = 0;
  for (int field = 0; field < 3; ++field) {
    at = id.find(':', at);
    if (at == std::string_view::npos) return {};
    ++at;
  }
  return std::string(id.substr(at, id.find(':', at) - at));
}

Result<ModelAddress> bedrock_address(const job::ResolvedModel& model, const aws::Environment& environment) {
  ModelAddress address;
  address.region = region_of_arn(model.id);
  if (address.region.empty()) address.region = aws::region_of(environment);
  if (address.region.empty()) {
    return fail(ErrorKind::bad_input, "the model '" + model.name +
                                          "' is in an AWS region, and none is set; set AWS_REGION, e.g. "
                                          "AWS_REGION=us-east-1, or region in the profile");
  }
  Result<http::Url> url = aws::endpoint_of(kBedrockRuntime, address.region, environment);
  if (!url) return std::unexpected(url.error());
  address.url = std::move(*url);
  address.api_key = environment.get("AWS_BEARER_TOKEN_BEDROCK");
  if (!address.api_key.empty()) address.key_from = "AWS_BEARER_TOKEN_BEDROCK";
  return address;
}

Result<ModelAddress> openai_address(const job::ResolvedModel& model, const aws::Environment& environment) {
  ModelAddress address;
  const bool is_named = model.endpoint != nullptr;
  std::string text = is_named ? model.endpoint->url : std::string(environment.get("OPENAI_BASE_URL"));
  const bool is_own = text.empty();  // OpenAI's own server
  if (is_own) text = kOpenaiUrl;
  while (text.ends_with('/')) text.pop_back();
  Result<http::Url> url = http::Url::parse(text);
  if (!url) {
    return fail(ErrorKind::bad_input,
                (is_named ? "the url of the endpoint '" + model.endpoint->name + "'" : std::string("OPENAI_BASE_URL")) +
                    ": " + url.error().message);
  }
  address.url = std::move(*url);
  address.key_from = is_named ? model.endpoint->key_variable : "OPENAI_API_KEY";
  if (!address.key_from.empty()) address.api_key = environment.get(address.key_from);
  const bool needs_key = is_own || (is_named && !address.key_from.empty());
  if (needs_key && address.api_key.empty()) {
    const std::string instead =
        is_named ? "remove key_variable of the endpoint '" + model.endpoint->name + "' if it takes none"
                 : std::string("name another server with OPENAI_BASE_URL");
    return fail(ErrorKind::bad_input, "the model '" + model.name + "' needs a key, and " + address.key_from +
                                          " is not set; export it, or " + instead);
  }
  return address;
}

}  // namespace

Result<ModelAddress> address_of(const job::ResolvedModel& model, const aws::Environment& environment) {
  switch (model.parsed.provider) {
    case job::Provider::bedrock:
      return bedrock_address(model, environment);
    case job::Provider::openai:
      return openai_address(model, environment);
    case job::Provider::offline:
    case job::Provider::none:
      break;
  }
  return fail(ErrorKind::bad_input, "the model '" + model.name + "' is nowhere to be called");
}

Connections::Connections(boost::asio::any_io_executor executor, aws::Environment environment, const Clock& clock)
    : executor_(std::move(executor)), environment_(std::move(environment)), clock_(clock) {}

Result<std::shared_ptr<http::Client>> Connections::http() {
  if (http_ != nullptr) return http_;
  const Result<http::ClientSettings> settings = http::client_settings_from_environment();
  if (!settings) return std::unexpected(settings.error());
  http_ = std::make_shared<http::Client>(executor_, *settings);
  return http_;
}

Result<std::shared_ptr<aws::CredentialProvider>> Connections::credentials() {
  if (credentials_ != nullptr) return credentials_;
  const auto client = http();
  if (!client) return std::unexpected(client.error());
  credentials_ = aws::make_credential_provider(environment_, **client, clock_);
  return credentials_;
}

Result<std::shared_ptr<aws::Service>> Connections::bedrock(const ModelAddress& address) {
  std::shared_ptr<aws::Service>& service = bedrock_[address.region];
  if (service != nullptr) return service;
  const auto client = http();
  if (!client) return std::unexpected(client.error());
  const auto chain = credentials();
  if (!chain) return std::unexpected(chain.error());
  service = std::make_shared<aws::Service>(kBedrockRuntime, address.url, address.region,
                                           aws::ServiceParts{*client, *chain, &clock_, address.api_key});
  return service;
}

async::Task<Status> Connections::check_credentials(std::vector<std::vector<job::ResolvedModel>> models_of_steps) {
  for (const std::vector<job::ResolvedModel>& models : models_of_steps) {
    const job::ResolvedModel& model = models.front();
    if (model.parsed.provider != job::Provider::bedrock) continue;
    const Result<ModelAddress> address = address_of(model, environment_);
    if (!address) co_return std::unexpected(address.error());
    if (!address->api_key.empty()) continue;  // instead of credentials
    const auto chain = credentials();
    if (!chain) co_return std::unexpected(chain.error());
    const Result<aws::Credentials> found = co_await (*chain)->get();
    if (!found) co_return std::unexpected(found.error());
  }
  co_return Status{};
}

Result<std::shared_ptr<Provider>> Connections::provider_of(const job::ResolvedModel& model) {
  const Result<ModelAddress> address = address_of(model, environment_);
  if (!address) return std::unexpected(address.error());
  if (model.parsed.provider == job::Provider::bedrock) {
    const auto service = bedrock(*address);
    if (!service) return std::unexpected(service.error());
    return make_bedrock_provider(model, *service, kDeadlines);
  }
  const auto client = http();
  if (!client) return std::unexpected(client.error());
  return make_openai_provider(model, *client, address->url, address->api_key, kDeadlines);
}

}  // namespace palette::model
