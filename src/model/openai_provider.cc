#include "model/openai_provider.h"

#include "aws/timestamps.h"
#include "base/time.h"
#include "model/openai_chat.h"

namespace palette::model {
namespace {

constexpr std::size_t kRequestIdBytesMax = 512;

WaitHeaders wait_headers(const http::Headers& headers) {
  WaitHeaders out;
  out.retry_after_ms = headers.get("retry-after-ms");
  out.retry_after = headers.get("Retry-After");
  out.remaining_requests = headers.get("x-ratelimit-remaining-requests");
  out.reset_requests = headers.get("x-ratelimit-reset-requests");
  out.remaining_tokens = headers.get("x-ratelimit-remaining-tokens");
  out.reset_tokens = headers.get("x-ratelimit-reset-tokens");
  return out;
}

// The server's clock, which its dates are told by; ours where it does not say.
std::int64_t now_unix_ms(const http::Headers& headers) {
  return aws::parse_http_date(headers.get("Date")).value_or(system_clock().now()).unix_ms;
}

class OpenAiProvider final : public Provider {
 public:
  OpenAiProvider(job::ResolvedModel model, std::shared_ptr<http::Client> client, http::Url base_url,
                 std::string api_key, http::Deadlines deadlines)
      : model_(std::move(model)),
        client_(std::move(client)),
        url_(chat_url(std::move(base_url))),
        api_key_(std::move(api_key)),
        deadlines_(deadlines),
        server_(url_.authority()) {}

  const std::string& name() const override { return model_.name; }

  async::Task<ProviderResult> ask(std::shared_ptr<ModelRequest> request) override {
    async::Task<http::Outcome<http::Response>> answering = start(*request);
    const http::Outcome<http::Response> answer = co_await std::move(answering);
    co_return read(answer);
  }

 private:
  // Not inlined, here and below: what they hold would lie in the frame of ask(), and thousands of those wait at once.
  [[gnu::noinline]] async::Task<http::Outcome<http::Response>> start(const ModelRequest& request) const {
    http::Request call;
    call.method = "POST";
    call.url = url_;
    call.deadlines = deadlines_.with_answer(request.answer_ms);
    call.headers.reserve(4);
    call.headers.add("Content-Type", "application/json");
    call.headers.add("Accept", "application/json");
    if (!api_key_.empty()) call.headers.add("Authorization", "Bearer " + api_key_);
    if (!request.identity.job.empty() || !request.identity.step.empty()) {
      call.headers.add("X-Client-Request-Id", client_request_id(request.identity.text()));
    }
    call.body = chat_body(request, model_);
    return client_->send(std::move(call));
  }

  [[gnu::noinline]] ProviderResult read(const http::Outcome<http::Response>& answer) const {
    if (!answer) return std::unexpected(failed_exchange(answer.error(), model_.name, server_));
    ProviderResult result = of_status(*answer);
    if (!result) result.error().error.message = without_key(std::move(result.error().error.message), api_key_);
    return result;
  }

  ProviderResult of_status(const http::Response& answer) const {
    const ChatPlace place{&model_, server_};
    if (answer.status >= 200 && answer.status < 300) return parse_chat(answer.body, place);
    return std::unexpected(
        failed_chat(answer.status, answer.body, wait_headers(answer.headers), now_unix_ms(answer.headers), place));
  }

  job::ResolvedModel model_;
  std::shared_ptr<http::Client> client_;
  http::Url url_;
  std::string api_key_;
  http::Deadlines deadlines_;
  std::string server_;
};

}  // namespace

http::Url chat_url(http::Url base_url) {
  std::string& target = base_url.target;
  const std::size_t question = target.find('?');
  std::string path = target.substr(0, question);
  const std::string query = question == std::string::npos ? "" : target.substr(question);
  while (path.ends_with('/')) path.pop_back();
  target = path + "/chat/completions" + query;
  return base_url;
}

ProviderFailure failed_exchange(const http::Failure& failure, std::string_view model_name, std::string_view server) {
  ProviderFailure out;
  out.error = failure.error;
  out.error.message = std::string(model_name) + " at " + std::string(server) + ": " + failure.error.message;
  if (failure.sent) out.billed = ProviderFailure::Billed::unknown;
  // `corrupt` is for stored data, and ends a job; an answer that is no HTTP is worth another try.
  if (failure.error.kind == ErrorKind::corrupt) out.error.kind = ErrorKind::unavailable;
  return out;
}

std::string client_request_id(std::string_view identity) {
  std::string out(identity.substr(0, kRequestIdBytesMax));
  for (char& c : out) {
    if (c <= 0x20 || c > 0x7e) c = '_';
  }
  return out;
}

std::shared_ptr<Provider> make_openai_provider(job::ResolvedModel model, std::shared_ptr<http::Client> client,
                                               http::Url base_url, std::string api_key, http::Deadlines deadlines) {
  return std::make_shared<OpenAiProvider>(std::move(model), std::move(client), std::move(base_url), std::move(api_key),
                                          deadlines);
}

}  // namespace palette::model
