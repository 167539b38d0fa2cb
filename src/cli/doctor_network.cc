#include "cli/doctor_network.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "async/stop_flag.h"
#include "async/task_group.h"
#include "aws/timestamps.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

constexpr std::int64_t kWait_ms = 10'000;
constexpr std::int64_t kSkewGood_ms = 60'000, kSkewBad_ms = 300'000;  // AWS refuses signatures from 5 minutes on
constexpr std::size_t kAnswerBytesMax = 8 * limits::kMiB;             // a list of models
constexpr std::size_t kNamesShown = 3;

async::Task<void> then_raise(async::Task<void> work, std::shared_ptr<async::StopFlag> ended) {
  co_await std::move(work);
  ended->request();
}

async::Task<void> cancel_later(async::TaskGroup* group, std::shared_ptr<async::StopFlag> ended) {
  if (co_await ended->sleep_for(kWait_ms)) group->cancel();
}

// What `work` waits for is cancelled after kWait_ms.
async::Task<int> bounded(async::EventLoop* loop, async::Task<void> work) {
  const auto executor = loop->context().get_executor();
  async::TaskGroup worker(executor), watcher(executor);
  const auto ended = std::make_shared<async::StopFlag>();
  worker.spawn(then_raise(std::move(work), ended));
  watcher.spawn(cancel_later(&worker, ended));
  co_await worker.join();
  co_await watcher.join();
  co_return 0;
}

async::Task<void> send(std::shared_ptr<http::Client> client, http::Request request,
                       http::Outcome<http::Response>* out) {
  *out = co_await client->send(std::move(request));
}

async::Task<void> fetch(std::shared_ptr<aws::CredentialProvider> provider, Result<aws::Credentials>* out) {
  *out = co_await provider->get();
}

async::Task<void> ask_model(std::shared_ptr<model::Provider> provider, model::ModelRequest request,
                            model::ProviderResult* out) {
  *out = co_await provider->ask(std::make_shared<model::ModelRequest>(std::move(request)));
}

// A cancelled wait is one that took too long: nothing else cancels here.
std::string told(const Error& error) {
  return error.kind == ErrorKind::cancelled ? "no answer within " + duration_text(kWait_ms) : error.message;
}

std::string told_end(const std::optional<UtcTime>& expires_at, UtcTime now) {
  if (!expires_at) return "they do not expire";
  const std::int64_t left_ms = expires_at->unix_ms - now.unix_ms;
  return left_ms <= 0 ? "they expired at " + expires_at->to_iso()
                      : "until " + expires_at->to_iso() + " (" + duration_text(left_ms) + ")";
}

// What to do about a call that failed.
std::string advice_for(const Error& error, const job::ResolvedModel& model) {
  const bool is_bedrock = model.parsed.provider == job::Provider::bedrock;
  switch (error.kind) {
    case ErrorKind::denied:
      return is_bedrock ? "" : "; check the key, and that it may use this model";  // Bedrock's messages say what to do
    case ErrorKind::not_found:
      return is_bedrock ? "" : "; the server does not know this model";
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::cancelled:
      return "; check the network, proxies and endpoint, or try again later";
    default:
      return "";
  }
}

std::string prices_text(const job::TokenPrices& prices) {
  const auto usd = [](std::int64_t pico) { return dollars(Money{pico * 1'000'000}.to_decimal()); };
  return usd(prices.input) + " in, " + usd(prices.output) + " out per million tokens";
}

// The ids of {"data": [{"id": …}]}.
Result<std::vector<std::string>> listed_models(std::string_view body) {
  const auto json = parse_json(body);
  if (!json) return std::unexpected(json.error());
  const Json* data = json->is_object() ? json->get_object().if_contains("data") : nullptr;
  if (data == nullptr || !data->is_array()) return fail(ErrorKind::unavailable, "the answer has no list 'data'");
  std::vector<std::string> out;
  for (const Json& entry : data->get_array()) {
    const Json* id = entry.is_object() ? entry.get_object().if_contains("id") : nullptr;
    if (id != nullptr && id->is_string()) out.emplace_back(id->get_string());
  }
  return out;
}

http::Url models_url(http::Url base) {
  while (base.target.ends_with('/')) base.target.pop_back();
  base.target += "/models";
  return base;
}

}  // namespace

NetworkChecks::NetworkChecks(aws::Environment environment, DoctorReport& report)
    : environment_(environment),
      report_(report),
      connections_(loop_.context().get_executor(), std::move(environment), system_clock()) {}

void NetworkChecks::check_credentials(bool is_needed) {
  constexpr std::string_view kCheck = "AWS credentials";
  if (!environment_.get("AWS_BEARER_TOKEN_BEDROCK").empty()) {
    report_.ok("Bedrock key", "AWS_BEARER_TOKEN_BEDROCK is set: Bedrock is called with it, not with credentials");
    is_needed = false;
  }
  const auto provider = connections_.credentials();
  if (!provider) return report_.fail(kCheck, provider.error().text());
  Result<aws::Credentials> found = fail(ErrorKind::cancelled, "");
  loop_.run(bounded(&loop_, fetch(*provider, &found)));
  if (!found) {
    return report_.add(is_needed ? DoctorReport::Level::fail : DoctorReport::Level::warn, kCheck, told(found.error()));
  }
  const std::string& id = found->keys.access_key_id;
  const std::string text = found->source + ", key …" + id.substr(id.size() - std::min<std::size_t>(4, id.size())) +
                           ", " + told_end(found->expires_at, system_clock().now());
  const bool ended = found->expires_at && *found->expires_at <= system_clock().now();
  report_.add(ended && is_needed ? DoctorReport::Level::fail : DoctorReport::Level::ok, kCheck, text);
}

http::Outcome<http::Response> NetworkChecks::get(const http::Url& url, const std::string& bearer) {
  const auto client = connections_.http();
  if (!client) return std::unexpected(http::Failure{client.error()});
  http::Request request;
  request.url = url;
  request.body_bytes_max = kAnswerBytesMax;
  request.deadlines = {.connect_ms = kWait_ms, .first_byte_ms = kWait_ms, .idle_ms = kWait_ms, .total_ms = kWait_ms};
  if (!bearer.empty()) request.headers.add("Authorization", "Bearer " + bearer);
  http::Outcome<http::Response> answer = std::unexpected(http::Failure{Error{ErrorKind::cancelled, ""}});
  loop_.run(bounded(&loop_, send(*client, std::move(request), &answer)));
  return answer;
}

void NetworkChecks::check_clock(const std::string& server, const http::Url& url) {
  constexpr std::string_view kCheck = "clock";
  http::Url root = url;
  root.target = "/";
  const UtcTime before = system_clock().now();
  const auto answer = get(root, "");
  if (!answer) {
    return report_.fail(kCheck, server + " cannot be reached: " + told(answer.error().error) +
                                    "; check the network, proxies and endpoint");
  }
  const auto date = aws::parse_http_date(answer->headers.get("Date"));
  if (!date) return report_.warn(kCheck, server + " does not tell its time");
  // The date has whole seconds: half of one more on the average.
  const std::int64_t ours_ms = (before.unix_ms + system_clock().now().unix_ms) / 2;
  const std::int64_t off_ms = ours_ms - (date->unix_ms + 500);
  const std::int64_t size_ms = std::abs(off_ms);
  if (size_ms < 2'000) return report_.ok(kCheck, "as that of " + server);
  const std::string found = duration_text(size_ms) + (off_ms > 0 ? " ahead of " : " behind ") + server;
  if (size_ms < kSkewGood_ms) return report_.ok(kCheck, found);
  const std::string advice = "; set this machine's clock (NTP)";
  if (size_ms < kSkewBad_ms) return report_.warn(kCheck, found + advice);
  report_.fail(kCheck, found + advice + ": AWS refuses what is signed at a wrong time");
}

void NetworkChecks::list_models(const model::ModelAddress& address, const std::vector<std::string>& wanted) {
  constexpr std::string_view kCheck = "server";
  const std::string server = address.url.origin();
  const std::string key =
      address.key_from.empty() ? "no key" : address.key_from + (address.api_key.empty() ? " not set" : " set");
  const auto answer = get(models_url(address.url), address.api_key);
  if (!answer) return report_.fail(kCheck, server + " (" + key + "): " + told(answer.error().error));
  const std::string status = "HTTP " + std::to_string(answer->status);
  if (answer->status == 401 || answer->status == 403) {
    return report_.fail(
        kCheck, server + " (" + key + ") refuses the key (" + status + "); " +
                    (address.key_from.empty() ? "name its variable in key_variable" : "check " + address.key_from));
  }
  if (answer->status != 200) {
    return report_.warn(kCheck, server + " (" + key + ") does not list its models (" + status +
                                    "); check that the URL ends as the server wants it, mostly with /v1");
  }
  const auto ids = listed_models(answer->body);
  if (!ids)
    return report_.warn(kCheck,
                        server + " (" + key + ") lists its models in a form of its own: " + ids.error().message);
  const std::string found = server + " (" + key + "): " + counted(static_cast<std::int64_t>(ids->size()), "model");
  std::string missing, present;
  for (const std::string& id : wanted) {
    std::string& names = std::ranges::find(*ids, id) == ids->end() ? missing : present;
    names += (names.empty() ? "" : ", ") + id;
  }
  if (!missing.empty()) {
    std::string some;
    for (std::size_t i = 0; i < std::min(kNamesShown, ids->size()); ++i) some += (i > 0 ? ", " : "") + (*ids)[i];
    return report_.warn(kCheck, found + ", " + missing + " is not listed" +
                                    (some.empty() ? "" : "; there are " + some) +
                                    (ids->size() > kNamesShown ? ", …" : ""));
  }
  report_.ok(kCheck, found + (present.empty() ? "" : ", " + present + " is listed"));
}

void NetworkChecks::check_servers(const std::vector<job::ResolvedModel>& models, bool told_before) {
  struct Server {
    model::ModelAddress address;
    bool lists_models = false;
    std::vector<std::string> wanted;
  };
  std::map<std::string, Server> servers;
  std::set<std::string> complaints;
  for (const job::ResolvedModel& model : models) {
    const auto address = model::address_of(model, environment_);
    if (!address) {
      if (!told_before && complaints.insert(address.error().message).second)
        report_.fail("server", address.error().message);
      continue;
    }
    Server& server = servers[address->url.text()];
    server.address = *address;
    server.lists_models = model.parsed.provider == job::Provider::openai;
    if (!model.id.empty()) server.wanted.push_back(model.id);
  }
  std::set<std::string> clocks;
  for (const auto& [url, server] : servers) {
    const std::string origin = server.address.url.origin();
    if (clocks.insert(origin).second) check_clock(origin, server.address.url);
  }
  for (const auto& [url, server] : servers) {
    if (server.lists_models) list_models(server.address, server.wanted);
  }
}

void NetworkChecks::check_price(const DoctorModel& model) {
  constexpr std::string_view kCheck = "price";
  const auto prices = model.model.prices(model.tier);
  if (!prices) {
    return report_.warn(kCheck, "none is known for " + model.model.name +
                                    (model.tier.empty() ? "" : " in the service tier " + model.tier) +
                                    "; a budget_limit needs one: give it in a file (--models FILE)");
  }
  const std::string date = model.model.info == nullptr ? "" : model.model.info->price_date;
  report_.ok(kCheck, model.model.name + ": " + prices_text(*prices) + (date.empty() ? "" : " (as of " + date + ")"));
}

void NetworkChecks::check_access(const DoctorModel& model) {
  constexpr std::string_view kCheck = "access";
  const auto provider = connections_.provider_of(model.model);
  if (!provider) return report_.fail(kCheck, provider.error().message);
  model::ModelRequest request;
  request.messages.push_back({model::Message::Role::user, "Hi"});
  request.options.max_tokens = 1;
  if (!model.tier.empty()) request.options.service_tier = model.tier;
  request.answer_ms = kWait_ms;
  model::ProviderResult answer = std::unexpected(model::ProviderFailure{Error{ErrorKind::cancelled, ""}});
  const std::int64_t started_ms = system_clock().monotonic_ms();
  loop_.run(bounded(&loop_, ask_model(*provider, std::move(request), &answer)));
  const std::int64_t took_ms = system_clock().monotonic_ms() - started_ms;
  // An answer that is of no use for a job (no text in one token) shows that the model can be called all the same.
  if (answer || answer.error().billed == model::ProviderFailure::Billed::usage)
    return report_.ok(kCheck, model.model.name + " answered in " + duration_text(took_ms));
  const Error& error = answer.error().error;
  std::string text = told(error);
  if (!text.starts_with(model.model.name)) text = model.model.name + ": " + text;
  if (error.kind == ErrorKind::throttled)
    return report_.warn(kCheck, text + "; it can be reached, but its quota is used up just now");
  if (error.kind == ErrorKind::refused) return report_.ok(kCheck, model.model.name + " can be reached");
  report_.fail(kCheck, text + advice_for(error, model.model));
}

}  // namespace palette::cli
