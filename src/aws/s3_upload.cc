#include "aws/s3_upload.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "aws/s3_checksum.h"
#include "aws/s3_state.h"
#include "aws/s3_xml.h"
#include "aws/service_error.h"
#include "aws/sigv4.h"
#include "base/ids.h"

namespace palette::aws {

struct S3Upload::State {
  State(std::shared_ptr<S3::State> its_s3, std::string its_key, boost::asio::any_io_executor its_executor)
      : s3(std::move(its_s3)),
        key(std::move(its_key)),
        executor(std::move(its_executor)),
        changed(executor, boost::asio::steady_timer::time_point::max()) {}

  struct Part {
    std::string etag;
    std::uint64_t size = 0;
    std::uint32_t crc32 = 0;
  };

  static void send(const std::shared_ptr<State>& upload, S3Body body);
  static async::Task<void> send_part(std::shared_ptr<State> upload, std::size_t number, S3Body body);
  // Until at most that many parts are on their way, or one has failed.
  static async::Task<Status> wait_for_parts(std::shared_ptr<State> upload, std::size_t in_flight_max);
  static async::Task<Result<std::string>> make_object(std::shared_ptr<State> upload, S3Condition condition);
  static async::Task<Result<std::string>> finish_object(std::shared_ptr<State> upload, RetriedOutcome outcome,
                                                        S3Condition condition);
  static void start_giving_up(const std::shared_ptr<State>& upload);
  static async::Task<void> remove_parts(std::shared_ptr<State> upload);

  ServiceRequest request(std::string method, std::string query) const;
  Error error_of(const ServiceFailure& failure, const S3Condition& condition = {}) const;
  std::string document() const;
  void add_checksum(http::Headers& headers) const;
  void fail_with(Error error) {
    if (!failure) failure = std::move(error);
  }

  std::shared_ptr<S3::State> s3;
  std::string key;
  std::string upload_id;
  std::string write_id = random_hex_id();
  boost::asio::any_io_executor executor;
  boost::asio::steady_timer changed;                      // cancelled whenever a part or the giving up has ended
  std::list<boost::asio::cancellation_signal> in_flight;  // one a part
  std::vector<Part> parts;
  std::optional<Error> failure;  // of the first part that failed
  enum class Phase : std::uint8_t { open, completed, giving_up, given_up };
  Phase phase = Phase::open;
  Status removal;  // how the giving up ended
};

namespace {

// A 200 whose body says that it failed.
std::optional<ServiceFailure> failure_inside(const http::Response& response, UtcTime now) {
  const Result<XmlElement> root = parse_xml(response.body);
  if (!root || root->name != "Error") return {};
  return service_failure({.service = "S3", .credentials_source = {}, .now = now, .rules = {}}, response);
}

async::Task<bool> is_cancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

}  // namespace

Status check_completion(const http::Response& response) {
  if (response.status < 200 || response.status > 299) return {};
  const Result<XmlElement> root = parse_xml(response.body);
  if (!root) return std::unexpected(root.error());
  if (root->name == "CompleteMultipartUploadResult") return {};
  if (root->name != "Error") {
    return fail(ErrorKind::corrupt, "S3 answered the end of an upload with <" + root->name + ">");
  }
  const std::optional<ServiceFailure> failure = failure_inside(response, {});
  // What another try will not change is a whole answer; a code that nobody knows is taken for a failure of S3.
  const ErrorKind kind = failure->error.kind;
  if (kind != ErrorKind::bad_input && !is_worth_another_try(kind)) return {};
  return std::unexpected(failure->error);
}

ServiceRequest S3Upload::State::request(std::string method, std::string query) const {
  ServiceRequest out;
  out.method = std::move(method);
  out.path = s3->path_of(key);
  out.query = std::move(query);
  return out;
}

Error S3Upload::State::error_of(const ServiceFailure& failure_told, const S3Condition& condition) const {
  Error error = s3->error_of(failure_told, key, condition);
  if (failure_told.code == "NoSuchUpload") {
    error.kind = ErrorKind::conflict;
    error.message += "; somebody, or a lifecycle rule, has removed its parts: put the object again";
  }
  return error;
}

async::Task<Result<std::unique_ptr<S3Upload>>> S3Upload::start(std::shared_ptr<S3::State> s3, std::string key) {
  auto upload = std::make_shared<State>(std::move(s3), std::move(key), co_await boost::asio::this_coro::executor);
  ServiceRequest request = upload->request("POST", "uploads=");
  // One sum over the whole object, not one over the sums of its parts.
  request.headers = {{"x-amz-checksum-algorithm", "CRC32"},
                     {"x-amz-checksum-type", "FULL_OBJECT"},
                     {std::string(kWriteIdHeader), upload->write_id}};
  const RetriedOutcome outcome = co_await S3::State::call(upload->s3, S3Call::put, std::move(request));
  if (!outcome.answer) co_return std::unexpected(upload->error_of(outcome.answer.error()));
  const Result<XmlElement> root = parse_xml(outcome.answer->body);
  if (!root) co_return std::unexpected(root.error().at(upload->s3->location(upload->key)));
  upload->upload_id = std::string(root->text_of("UploadId"));
  if (upload->upload_id.empty()) {
    co_return fail(ErrorKind::corrupt, "S3 has begun an upload and told no UploadId",
                   upload->s3->location(upload->key));
  }
  co_return std::unique_ptr<S3Upload>(new S3Upload(std::move(upload)));
}

async::Task<void> S3Upload::State::send_part(std::shared_ptr<State> upload, std::size_t number, S3Body body) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  ServiceRequest request = upload->request(
      "PUT", "partNumber=" + std::to_string(number) + "&uploadId=" + uri_encode(upload->upload_id, false));
  request.headers.add("x-amz-checksum-crc32", crc32_header(body.crc32));
  request.shared_body = std::move(body.text);
  request.body_source = std::move(body.source);
  request.payload_sha256 = std::move(body.sha256);
  const RetriedOutcome outcome = co_await S3::State::call(upload->s3, S3Call::put, std::move(request));
  if (!outcome.answer) {
    upload->fail_with(upload->error_of(outcome.answer.error()));
    co_return;
  }
  Result<std::string> etag = etag_of(*outcome.answer, upload->s3->location(upload->key));
  if (!etag) upload->fail_with(std::move(etag.error()));
  if (etag) upload->parts[number - 1].etag = std::move(*etag);
}

void S3Upload::State::send(const std::shared_ptr<State>& upload, S3Body body) {
  upload->parts.push_back({.etag = {}, .size = body.size, .crc32 = body.crc32});
  const auto signal = upload->in_flight.emplace(upload->in_flight.end());
  boost::asio::co_spawn(
      upload->executor, send_part(upload, upload->parts.size(), std::move(body)),
      boost::asio::bind_cancellation_slot(signal->slot(), [upload, signal](const std::exception_ptr& thrown) {
        if (thrown) upload->fail_with(Error{ErrorKind::internal, "sending a part of an upload threw an exception"});
        upload->in_flight.erase(signal);
        upload->changed.cancel();
      }));
}

async::Task<Status> S3Upload::State::wait_for_parts(std::shared_ptr<State> upload, std::size_t in_flight_max) {
  while (!upload->failure && upload->in_flight.size() > in_flight_max) {
    if (co_await is_cancelled()) co_return fail(ErrorKind::cancelled, "the upload was cancelled");
    (void)co_await upload->changed.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  if (upload->failure) co_return std::unexpected(*upload->failure);
  co_return Status{};
}

// CompleteMultipartUpload's body: the parts in ascending order.
std::string S3Upload::State::document() const {
  std::string out = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + xml_escaped(parts[i].etag) +
           "</ETag></Part>";
  }
  return out + "</CompleteMultipartUpload>";
}

// S3 refuses to make the object when it has another size or sum.
void S3Upload::State::add_checksum(http::Headers& headers) const {
  std::uint64_t size = 0;
  std::uint32_t crc32 = 0;
  for (const Part& part : parts) {
    crc32 = crc32_joined(crc32, part.crc32, part.size);
    size += part.size;
  }
  headers.add("x-amz-checksum-crc32", crc32_header(crc32));
  headers.add("x-amz-checksum-type", "FULL_OBJECT");
  headers.add("x-amz-mp-object-size", std::to_string(size));
}

async::Task<Result<std::string>> S3Upload::State::make_object(std::shared_ptr<State> upload, S3Condition condition) {
  const std::string where = upload->s3->location(upload->key);
  ServiceRequest request = upload->request("POST", "uploadId=" + uri_encode(upload->upload_id, false));
  if (Status ok = add_condition(request.headers, condition, where); !ok) co_return std::unexpected(ok.error());
  if (upload->parts.empty()) send(upload, S3Body::of_text(""));  // an upload has at least one part
  if (Status sent = co_await wait_for_parts(upload, 0); !sent) co_return std::unexpected(sent.error());
  upload->add_checksum(request.headers);
  request.headers.add("content-type", "application/xml");
  request.body = upload->document();
  RetriedOutcome outcome = co_await S3::State::call(upload->s3, S3Call::complete, std::move(request));
  if (outcome.answer) {
    std::optional<ServiceFailure> inside = failure_inside(*outcome.answer, upload->s3->parts.clock->now());
    if (inside) outcome.answer = std::unexpected(std::move(*inside));
  }
  co_return co_await finish_object(upload, std::move(outcome), std::move(condition));
}

async::Task<Result<std::string>> S3Upload::State::finish_object(std::shared_ptr<State> upload, RetriedOutcome outcome,
                                                                S3Condition condition) {
  if (outcome.answer) {
    const Result<XmlElement> root = parse_xml(outcome.answer->body);
    if (!root) co_return std::unexpected(root.error());
    std::string etag(root->text_of("ETag"));
    if (!etag.empty()) co_return etag;
    co_return fail(ErrorKind::corrupt, "the answer of S3 has no ETag", upload->s3->location(upload->key));
  }
  Error error = upload->error_of(outcome.answer.error(), condition);
  const bool is_lost =
      error.kind == ErrorKind::already_exists || error.kind == ErrorKind::changed || error.kind == ErrorKind::conflict;
  if (!is_lost || !outcome.may_have_worked) co_return std::unexpected(std::move(error));
  // A try before this one may have made the object: then the upload is gone, and the object bears our id.
  Result<std::optional<std::string>> own =
      co_await S3::State::own_write(upload->s3, upload->key, upload->write_id, nullptr);
  if (!own) co_return std::unexpected(std::move(own.error()));
  if (!own->has_value()) co_return std::unexpected(std::move(error));
  co_return std::move(**own);
}

// Parts must not arrive after the upload was removed: they would stay. So they end first.
async::Task<void> S3Upload::State::remove_parts(std::shared_ptr<State> upload) {
  while (!upload->in_flight.empty()) {
    (void)co_await upload->changed.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  ServiceRequest request = upload->request("DELETE", "uploadId=" + uri_encode(upload->upload_id, false));
  const RetriedOutcome outcome = co_await S3::State::call(upload->s3, S3Call::remove, std::move(request));
  const bool is_gone = outcome.answer || outcome.answer.error().code == "NoSuchUpload";
  if (!is_gone) upload->removal = std::unexpected(upload->error_of(outcome.answer.error()));
  upload->phase = Phase::given_up;
  upload->changed.cancel();
}

void S3Upload::State::start_giving_up(const std::shared_ptr<State>& upload) {
  if (upload->phase != Phase::open) return;
  upload->phase = Phase::giving_up;
  for (auto signal = upload->in_flight.begin(); signal != upload->in_flight.end();) {
    auto current = signal++;  // a part that ends at once erases its signal
    current->emit(boost::asio::cancellation_type::terminal);
  }
  boost::asio::co_spawn(upload->executor, remove_parts(upload), boost::asio::detached);
}

S3Upload::S3Upload(std::shared_ptr<State> state) : state_(std::move(state)) {}

S3Upload::~S3Upload() { State::start_giving_up(state_); }

async::Task<Status> S3Upload::add(S3Body part) {
  const std::shared_ptr<State> upload = state_;
  if (upload->phase != State::Phase::open) {
    co_return fail(ErrorKind::internal, "a part was added to an upload that has ended",
                   upload->s3->location(upload->key));
  }
  if (upload->failure) co_return std::unexpected(*upload->failure);
  if (upload->parts.size() >= kPartsMax) {
    co_return fail(ErrorKind::too_large, "an object of more than " + std::to_string(kPartsMax) + " parts",
                   upload->s3->location(upload->key));
  }
  State::send(upload, std::move(part));
  co_return co_await State::wait_for_parts(upload, kPartsInFlightMax - 1);
}

async::Task<Result<std::string>> S3Upload::complete(S3Condition condition) {
  const std::shared_ptr<State> upload = state_;
  if (upload->phase != State::Phase::open) {
    co_return fail(ErrorKind::internal, "an upload that has ended was completed", upload->s3->location(upload->key));
  }
  Result<std::string> etag = co_await State::make_object(upload, std::move(condition));
  if (etag) {
    upload->phase = State::Phase::completed;
    co_return etag;
  }
  Error error = std::move(etag.error());
  // The error is told; what could not be removed besides is only said with it.
  if (const Status removed = co_await give_up(); !removed && error.kind != ErrorKind::cancelled) {
    error.message += "; its parts could not be removed either: " + removed.error().message;
  }
  co_return std::unexpected(std::move(error));
}

async::Task<Status> S3Upload::give_up() {
  const std::shared_ptr<State> upload = state_;
  State::start_giving_up(upload);
  while (upload->phase == State::Phase::giving_up) {
    if (co_await is_cancelled()) co_return fail(ErrorKind::cancelled, "the upload is given up by itself");
    (void)co_await upload->changed.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  co_return upload->removal;
}

}  // namespace palette::aws
