#include "model/bedrock_provider.h"

#include "aws/sigv4.h"
#include "model/bedrock_converse.h"
#include "model/bedrock_invoke.h"
#include "model/bedrock_metadata.h"
#include "model/capability_check.h"
#include "model/request_body.h"

namespace palette::model {
namespace {

// The path of every call of that model.
std::string path_of(const job::ResolvedModel& model) {
  return "/model/" + aws::uri_encode(model.id, false) + (uses_converse(model) ? "/converse" : "/invoke");
}

// Everything but the path.
aws::ServiceRequest call_of(const ModelRequest& request, const job::ResolvedModel& model,
                            const http::Deadlines& deadlines) {
  aws::ServiceRequest call;
  call.deadlines = deadlines.with_answer(request.answer_ms);
  call.headers.reserve(4);
  call.headers.add("Content-Type", "application/json");
  call.headers.add("Accept", "application/json");
  if (uses_converse(model)) {
    call.body = converse_body(request, model);
    return call;
  }
  call.body = invoke_body(request, model);
  if (has_identity(request.identity)) {
    std::string metadata;
    append_request_metadata(metadata, request.identity);
    call.headers.add("X-Amzn-Bedrock-Request-Metadata", std::move(metadata));
  }
  if (has_service_tier(request)) call.headers.add("X-Amzn-Bedrock-Service-Tier", *request.options.service_tier);
  return call;
}

class BedrockProvider final : public Provider {
 public:
  BedrockProvider(job::ResolvedModel model, std::shared_ptr<aws::Service> service, http::Deadlines deadlines)
      : model_(std::move(model)), path_(path_of(model_)), service_(std::move(service)), deadlines_(deadlines) {}

  const std::string& name() const override { return model_.name; }

  async::Task<ProviderResult> ask(std::shared_ptr<ModelRequest> request) override {
    async::Task<aws::ServiceOutcome> answering = start(*request);
    const aws::ServiceOutcome answer = co_await std::move(answering);
    co_return read(answer);
  }

 private:
  // Not inlined, here and below: what they hold would lie in the frame of ask(), and thousands of those wait at once.
  [[gnu::noinline]] async::Task<aws::ServiceOutcome> start(const ModelRequest& request) const {
    aws::ServiceRequest call = call_of(request, model_, deadlines_);
    call.path = path_;
    return service_->call(std::move(call));
  }

  [[gnu::noinline]] ProviderResult read(const aws::ServiceOutcome& answer) const {
    if (!answer) return std::unexpected(failed_bedrock_call(answer.error(), model_));
    if (uses_converse(model_)) return parse_converse(answer->body, model_);
    const http::Headers& headers = answer->headers;
    TokenHeaders counts;
    counts.input = headers.get("X-Amzn-Bedrock-Input-Token-Count");
    counts.output = headers.get("X-Amzn-Bedrock-Output-Token-Count");
    counts.cache_read = headers.get("X-Amzn-Bedrock-Cache-Read-Input-Token-Count");
    counts.cache_write = headers.get("X-Amzn-Bedrock-Cache-Write-Input-Token-Count");
    return parse_invoke(answer->body, counts, model_);
  }

  job::ResolvedModel model_;
  std::string path_;
  std::shared_ptr<aws::Service> service_;
  http::Deadlines deadlines_;
};

}  // namespace

aws::ServiceRequest bedrock_call(const ModelRequest& request, const job::ResolvedModel& model,
                                 const http::Deadlines& deadlines) {
  aws::ServiceRequest call = call_of(request, model, deadlines);
  call.path = path_of(model);
  return call;
}

ProviderFailure failed_bedrock_call(const aws::ServiceFailure& failure, const job::ResolvedModel& model) {
  ProviderFailure out;
  out.error = failure.error;
  out.error.message = model.name + ": " + failure.error.message;
  const bool of_gateway = failure.code.empty() && (failure.status == 502 || failure.status == 504);
  if ((failure.status == 0 && failure.sent) || of_gateway) out.billed = ProviderFailure::Billed::unknown;
  // `corrupt` is for stored data, and ends a job; an answer that is no HTTP is worth another try.
  if (failure.error.kind == ErrorKind::corrupt) out.error.kind = ErrorKind::unavailable;
  return out;
}

std::shared_ptr<Provider> make_bedrock_provider(job::ResolvedModel model, std::shared_ptr<aws::Service> service,
                                                http::Deadlines deadlines) {
  return std::make_shared<BedrockProvider>(std::move(model), std::move(service), deadlines);
}

}  // namespace palette::model
