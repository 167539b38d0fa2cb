#include "proxy.h"

#include <algorithm>

#include "async/timer.h"
#include "base/random.h"
#include "fault_answer.h"

namespace palette::proxy {
namespace {

// How often a hung request looks whether its client is still there: ever less often, as many may hang.
constexpr std::int64_t kHangLook_ms = 20, kHangLookMost_ms = 500;
constexpr std::int64_t kHangMost_ms = 3'600'000;

// Of one connection, not of the message (RFC 9110 section 7.6.1). Expect was answered by our server.
constexpr std::string_view kHopFields[] = {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
                                           "Upgrade",    "Expect"};

// Ends when the client has left, or the server is being closed.
async::Task<void> wait_for_the_client_to_leave(std::function<bool()> client_has_left) {
  std::int64_t look_ms = kHangLook_ms;
  for (std::int64_t hung_ms = 0; hung_ms < kHangMost_ms && !client_has_left(); hung_ms += look_ms) {
    if (const Status slept = co_await async::sleep_for(look_ms); !slept) co_return;
    look_ms = std::min(2 * look_ms, kHangLookMost_ms);
  }
}

http::ServerReply cut() {
  http::ServerReply reply;
  reply.ending = http::Ending::cut;
  return reply;
}

http::ServerReply json_reply(int status, std::string body) {
  http::ServerReply reply;
  reply.response.status = status;
  reply.response.headers.add("Content-Type", "application/json");
  reply.response.body = std::move(body);
  return reply;
}

http::Response no_answer(const http::Url& upstream, const Error& error) {
  http::Response response;
  response.status = 502;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = "plot-palette-fault-proxy: no answer of " + upstream.origin() + ": " + error.text() + "\n";
  return response;
}

// A reply with the upstream's answer, or what the fault has left of it.
http::ServerReply spoiled(std::optional<Fault> fault, http::Response response, bool is_head) {
  http::ServerReply reply;
  // Half of nothing is nothing: a header alone would be a whole answer.
  const bool has_body = !response.body.empty() && !is_head;
  if (fault == Fault::cut_after || fault == Fault::hang || (fault == Fault::half && !has_body)) return cut();
  if (fault == Fault::half) reply.ending = http::Ending::half;
  reply.response = std::move(response);
  return reply;
}

}  // namespace

// What admit() found out.
struct Proxy::Visit {
  Operation operation;
  std::optional<Fault> fault;
  std::optional<http::Response> answer;  // of a fault that has one
  std::int64_t wait_ms = 0;
};

// Counts a request as in flight for as long as it lives.
class Proxy::Flight {
 public:
  explicit Flight(Counts& counts) : counts_(counts) { counts_.enter(); }
  ~Flight() { counts_.leave(); }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

 private:
  Counts& counts_;
};

Proxy::Proxy(Settings settings, http::Client& client)
    : settings_(std::move(settings)), behaviour_(settings_.behaviour), client_(client) {}

// Decides on the request's fault and latency. Both follow from the seed and from how many requests came before, so that
// a retry draws anew.
Proxy::Visit Proxy::admit(http::ServerRequest& request) {
  CounterRandom random(settings_.seed, sequence_++, stream_of("request"));
  const double share = random.unit();
  Visit visit;
  visit.operation = operation_of(request);
  visit.fault = scripts_.next(request, visit.operation);
  if (!visit.fault) visit.fault = behaviour_.rates.at(share);
  if (visit.fault && !can_befall(*visit.fault, visit.operation)) visit.fault.reset();
  counts_.request(visit.operation, visit.fault, request.body.size());
  visit.wait_ms = behaviour_.latency_ms;
  if (behaviour_.jitter_ms > 0)
    visit.wait_ms += static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(behaviour_.jitter_ms) + 1));
  if (visit.fault == Fault::slow) visit.wait_ms += behaviour_.slow_ms;
  if (!visit.fault || (asks_upstream(*visit.fault) && visit.fault != Fault::error_500_after)) return visit;
  if (visit.fault != Fault::cut_before)
    visit.answer = fault_answer(*visit.fault, request, visit.operation, random, "FAULT" + std::to_string(sequence_));
  return visit;
}

async::Task<http::ServerReply> Proxy::handle(http::ServerRequest request) {
  if (request.target.starts_with("/_proxy/")) co_return serve_admin(request);
  const Flight flight(counts_);
  if (behaviour_.outage) {
    counts_.outage();
    co_return cut();
  }
  Visit visit = admit(request);
  const auto client_has_left = request.client_has_left;
  const bool is_head = request.method == "HEAD";
  if (visit.wait_ms > 0) {
    if (const Status slept = co_await async::sleep_for(visit.wait_ms); !slept) co_return cut();
  }
  if (visit.fault == Fault::cut_before) co_return cut();
  http::Response response;
  if (!visit.fault || asks_upstream(*visit.fault)) response = co_await ask_upstream(std::move(request));
  if (visit.answer) response = std::move(*visit.answer);
  counts_.answer(visit.operation, response);
  if (behaviour_.outage) co_return cut();  // it has begun meanwhile
  if (visit.fault == Fault::hang) co_await wait_for_the_client_to_leave(client_has_left);
  co_return spoiled(visit.fault, std::move(response), is_head);
}

async::Task<http::Response> Proxy::ask_upstream(http::ServerRequest request) {
  http::Request out;
  out.method = std::move(request.method);
  out.url = settings_.upstream;
  out.url.target = std::move(request.target);
  out.headers = std::move(request.headers);
  for (const std::string_view field : kHopFields) out.headers.remove(field);
  out.body = std::move(request.body);
  out.body_bytes_max = kBodyBytesMax;
  out.as_given = true;  // Host is signed, checksums are of the packed body
  http::Outcome<http::Response> answer = co_await client_.send(std::move(out));
  if (!answer) {
    counts_.upstream_failure();
    co_return no_answer(settings_.upstream, answer.error().error);
  }
  answer->headers.remove("Keep-Alive");
  co_return std::move(*answer);
}

http::ServerReply Proxy::serve_admin(const http::ServerRequest& request) {
  const std::string_view path = request.target;
  if (path == "/_proxy/stats" && request.method == "GET") return json_reply(200, counts_.to_json());
  if (path == "/_proxy/config" && request.method == "GET") return json_reply(200, config_json(behaviour_));
  const auto complain = [](const Error& error) {
    return json_reply(400, to_json_text(JsonObject{{"message", error.message}}));
  };
  if (path == "/_proxy/reset" && request.method == "POST") {
    reset();
    return json_reply(200, "{}");
  }
  const bool is_faults = path == "/_proxy/faults", is_config = path == "/_proxy/config";
  if ((!is_faults && !is_config) || request.method != "POST")
    return json_reply(404, R"({"message":"known are GET /_proxy/stats, GET and POST /_proxy/config, )"
                           R"(POST /_proxy/faults and POST /_proxy/reset"})");
  const Result<Json> body = parse_json(request.body);
  if (!body) return complain(body.error());
  if (!body->is_object()) return complain(Error{ErrorKind::bad_input, "the body must be a JSON object"});
  const Status done =
      is_faults ? add_scripts(body->get_object(), scripts_) : apply_config(body->get_object(), behaviour_);
  if (!done) return complain(done.error());
  return json_reply(
      200, is_config ? config_json(behaviour_) : to_json_text(JsonObject{{"waiting", std::int64_t(scripts_.size())}}));
}

void Proxy::reset() {
  behaviour_ = settings_.behaviour;
  scripts_.clear();
  counts_.reset();
  sequence_ = 0;
}

}  // namespace palette::proxy
