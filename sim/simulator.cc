#include "simulator.h"

#include <algorithm>

#include "answer.h"
#include "async/timer.h"
#include "base/random.h"
#include "strict.h"

namespace palette::sim {
namespace {

// How often a hung call looks whether its client is still there: ever less often, as thousands may hang.
constexpr std::int64_t kHangLook_ms = 50, kHangLookMost_ms = 1'000;
constexpr std::int64_t kHangMost_ms = 3'600'000;

bool is_model_call(Route route) { return route == Route::converse || route == Route::invoke || route == Route::chat; }

http::Response rejection(bool is_openai, const Error& error) {
  return is_openai ? openai_error(400, "invalid_request_error", "", error.message)
                   : aws_error(400, "ValidationException", error.message);
}

}  // namespace

// One call in flight. Tells the statistics what became of it: once, at the latest when nobody holds it any more.
class Simulator::Flight {
 public:
  explicit Flight(Simulator& simulator) : simulator_(simulator), generation_(simulator.generation_) {
    simulator.statistics_.begin();
  }
  ~Flight() {
    conclude(false);
    simulator_.statistics_.leave();
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  // `delivered`: the client has the whole reply.
  void conclude(bool delivered) {
    if (concluded_) return;
    concluded_ = true;
    if (generation_ != simulator_.generation_) return;  // it began before the last reset
    if (!delivered && end.outcome == Outcome::answered) end.outcome = Outcome::client_left;
    simulator_.statistics_.count(end);
  }

  CallEnd end;

 private:
  Simulator& simulator_;
  std::uint64_t generation_;
  bool concluded_ = false;
};

// What admit() found out, for finish().
struct Simulator::Visit {
  std::shared_ptr<Flight> flight;
  Call call;
  Model* model = nullptr;
  std::optional<http::Response> reply;  // when it is settled without generating anything
  std::optional<Fault> fault;
  std::optional<Quota::Ticket> ticket;
  std::int64_t wait_ms = 0;
  Answer answer;

  // The call ends here.
  void settle(Outcome outcome, http::Response with) {
    flight->end.outcome = outcome;
    reply = std::move(with);
  }
};

Simulator::Simulator(Settings settings, job::Catalogue catalogue, const Clock& clock)
    : settings_(std::move(settings)),
      behaviour_(settings_.behaviour),
      clock_(clock),
      models_(std::move(catalogue)),
      keyring_(settings_.credentials),
      metadata_(settings_.metadata, keyring_) {}

async::Task<http::ServerReply> Simulator::handle(http::ServerRequest request) {
  const Target target = target_of(request);
  http::ServerReply reply;
  if (!is_model_call(target.route)) {
    reply.response = serve(request, target);
    co_return reply;
  }
  Visit visit = admit(request, target);
  const auto client_has_left = request.client_has_left;
  request = {};  // thousands of calls may wait now
  bool is_stopping = false;
  if (visit.wait_ms > 0) is_stopping = !co_await async::sleep_for(visit.wait_ms);
  generate(visit);
  if (visit.fault == Fault::hang) {
    visit.flight->conclude(false);  // it is billed now, whenever the client gives up
    std::int64_t look_ms = kHangLook_ms;
    for (std::int64_t hung_ms = 0; hung_ms < kHangMost_ms && !is_stopping && !client_has_left(); hung_ms += look_ms) {
      is_stopping = !co_await async::sleep_for(look_ms);
      look_ms = std::min(2 * look_ms, kHangLookMost_ms);
    }
  }
  reply = finish(std::move(visit));
  co_return reply;
}

Result<Call> Simulator::read(const http::ServerRequest& request, const Target& target) {
  Result<Json> body = parse_json(request.body);
  if (!body || !body->is_object())
    return fail(ErrorKind::bad_input, "Malformed input request, please reformat your input and try again: " +
                                          (body ? std::string("the body is not a JSON object") : body.error().message));
  const JsonObject& object = body->get_object();
  if (target.route == Route::converse) return read_converse(target.model, object);
  if (target.route == Route::chat) {
    Result<Call> call = read_openai(object);
    if (call) call->identity = request.headers.get("x-client-request-id");
    return call;
  }
  Result<Model*> model = models_.find(target.model, false);
  if (!model) return std::unexpected(model.error());
  Result<Call> call = read_invoke(target.model, (*model)->family, object);
  if (!call) return call;
  call->service_tier = request.headers.get("x-amzn-bedrock-service-tier");
  const std::string_view metadata = request.headers.get("x-amzn-bedrock-request-metadata");
  if (metadata.empty()) return call;
  const Result<Json> pairs = parse_json(metadata);
  if (!pairs || !pairs->is_object())
    return fail(ErrorKind::bad_input, "X-Amzn-Bedrock-Request-Metadata must be a JSON object of strings.");
  call->identity = identity_of(pairs->get_object());
  return call;
}

Simulator::Visit Simulator::admit(const http::ServerRequest& request, const Target& target) {
  const bool is_openai = target.route == Route::chat;
  Visit visit;
  visit.flight = std::make_shared<Flight>(*this);
  if (auto refused = refuse_stranger(request, is_openai)) {
    visit.settle(Outcome::refused, std::move(*refused));
    return visit;
  }
  Result<Call> call = read(request, target);
  if (!call) {
    visit.settle(Outcome::rejected, rejection(is_openai, call.error()));
    return visit;
  }
  visit.call = std::move(*call);
  const Result<Model*> model = models_.find(visit.call.model, is_openai);
  const Status allowed = !model             ? Status(std::unexpected(model.error()))
                         : settings_.strict ? check_model_rules(visit.call, **model)
                                            : Status();
  if (!allowed) {
    visit.settle(Outcome::rejected, rejection(is_openai, allowed.error()));
    return visit;
  }
  visit.model = visit.flight->end.model = *model;
  visit.flight->end.identity = visit.call.identity;
  visit.flight->end.service_tier = visit.call.service_tier;
  draw(visit);
  return visit;
}

// Decides on the call's fault and latency. Both follow from the seed and from how many calls came before, so that a
// retry draws anew.
void Simulator::draw(Visit& visit) {
  CounterRandom random(settings_.seed, sequence_++, stream_of("call"));
  const double share = random.unit();
  const Behaviour& now = behaviour_;
  visit.fault = scripts_.next(visit.call);
  if (now.outage) visit.fault = Fault::outage;
  if (!visit.fault) visit.fault = now.rates.at(share);
  visit.flight->end.fault = visit.fault;
  if (visit.fault) visit.flight->end.outcome = Outcome::faulted;
  if (visit.fault && !is_spoiled_answer(*visit.fault)) visit.reply = fault_reply(visit.call, *visit.fault, random);
  if (visit.fault && is_immediate(*visit.fault)) return;
  if (now.limits.any()) reserve(visit);
  if (visit.fault == Fault::quota) return;
  visit.wait_ms = now.latency_ms;
  if (now.jitter_ms > 0) visit.wait_ms += static_cast<std::int64_t>(random.below(now.jitter_ms + 1));
  if (now.tail_share > 0 && random.unit() < now.tail_share) visit.wait_ms += now.tail_ms;
  if (sequence_ <= static_cast<std::uint64_t>(now.slow_start_calls)) visit.wait_ms += now.slow_start_ms;
  if (!visit.fault || is_billed(*visit.fault))
    visit.flight->end.usage =
        cache_.split(visit.call.cache_points, visit.call.input_tokens, now.cache_tokens_min, clock_.monotonic_ms());
}

void Simulator::reserve(Visit& visit) {
  const std::int64_t tokens =
      visit.call.input_tokens + visit.call.max_tokens.value_or(visit.model->output_tokens_max());
  Quota& quota = visit.model->quota;
  const auto refusal = quota.admit(tokens, behaviour_.limits, clock_.monotonic_ms());
  if (!refusal) {
    visit.ticket = quota.ticket();
    return;
  }
  visit.fault = visit.flight->end.fault = Fault::quota;
  visit.settle(Outcome::faulted, quota_reply(visit.call, *refusal, behaviour_.limits));
}

// Makes the answer of a call that is billed, and settles what it reserved: input and cache writes count as they are,
// output as often as the model burns it down, cache reads not at all.
void Simulator::generate(Visit& visit) {
  const bool billed = visit.model != nullptr && (!visit.fault || is_billed(*visit.fault));
  Usage& usage = visit.flight->end.usage;
  if (billed) {
    visit.answer = make_answer(visit.call, behaviour_.answer_words);
    usage.output = tokens_of(visit.answer.text);
  }
  if (!visit.ticket) return;
  const std::int64_t used = usage.input + usage.cache_write + usage.cache_write_1h;
  visit.model->quota.settle(*visit.ticket, billed ? used + usage.output * visit.model->burn_down() : 0);
}

http::ServerReply Simulator::finish(Visit visit) {
  http::ServerReply reply;
  if (visit.reply)
    reply.response = std::move(*visit.reply);
  else
    fill_answer(visit, reply);
  if (visit.call.is_openai() && visit.model != nullptr && behaviour_.limits.any())
    add_rate_limits(visit.model->quota, behaviour_.limits, clock_.monotonic_ms(), reply.response.headers);
  const std::string_view id_header = visit.call.is_openai() ? "x-request-id" : "x-amzn-RequestId";
  reply.response.headers.add(std::string(id_header), next_request_id());
  reply.on_sent = [flight = std::move(visit.flight)](bool delivered) { flight->conclude(delivered); };
  return reply;
}

// A whole answer, or one that the fault has spoiled.
void Simulator::fill_answer(const Visit& visit, http::ServerReply& reply) {
  const Call& call = visit.call;
  const Usage& usage = visit.flight->end.usage;
  const std::string id = next_request_id();
  Report report{usage, false, visit.wait_ms, id, clock_.now().unix_ms / 1000};
  if (visit.model->info != nullptr) report.usage_includes_cache = visit.model->info->capabilities.usage_includes_cache;
  const Answer blank;
  std::string body = answer_body(call, visit.fault == Fault::empty ? blank : visit.answer, report);
  if (visit.fault == Fault::malformed) body.resize(body.size() * 2 / 3);
  if (visit.fault == Fault::cut || visit.fault == Fault::hang) reply.ending = http::Ending::cut;
  if (visit.fault == Fault::half) reply.ending = http::Ending::half;
  reply.response = json_reply(200, std::move(body));
  if (call.is_openai() || call.shape == Shape::converse) return;
  http::Headers& headers = reply.response.headers;
  const std::int64_t input = report.usage_includes_cache ? usage.total_input() : usage.input;
  headers.add("X-Amzn-Bedrock-Input-Token-Count", std::to_string(input));
  headers.add("X-Amzn-Bedrock-Output-Token-Count", std::to_string(usage.output));
  headers.add("X-Amzn-Bedrock-Cache-Read-Input-Token-Count", std::to_string(usage.cache_read));
  headers.add("X-Amzn-Bedrock-Cache-Write-Input-Token-Count", std::to_string(usage.cache_write + usage.cache_write_1h));
  headers.add("X-Amzn-Bedrock-Invocation-Latency", std::to_string(visit.wait_ms));
  if (!call.service_tier.empty()) headers.add("X-Amzn-Bedrock-Service-Tier", call.service_tier);
}

// In the form of a UUID; each its own within a run.
std::string Simulator::next_request_id() {
  constexpr char kHex[] = "0123456789abcdef";
  CounterRandom random(settings_.seed, request_id_++, stream_of("request id"));
  std::string id(36, '-');
  std::uint64_t bits = random.next();
  for (int at = 0, digits = 0; at < 36; ++at) {
    if (at == 8 || at == 13 || at == 18 || at == 23) continue;
    if (digits == 16) bits = random.next();
    id[static_cast<std::size_t>(at)] = kHex[bits & 15];
    bits >>= 4;
    ++digits;
  }
  return id;
}

void Simulator::reset() {
  ++generation_;
  behaviour_ = settings_.behaviour;
  scripts_.clear();
  cache_.clear();
  models_.reset_counts();
  statistics_.reset();
  sequence_ = 0;
}

}  // namespace palette::sim
