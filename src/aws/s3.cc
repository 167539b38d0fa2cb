#include "aws/s3.h"

#include <charconv>
#include <utility>

#include "aws/s3_checksum.h"
#include "aws/s3_listing.h"
#include "aws/s3_state.h"
#include "aws/s3_stream.h"
#include "aws/s3_upload.h"
#include "base/ids.h"
#include "base/limits.h"

namespace palette::aws {
namespace {

using State = std::shared_ptr<S3::State>;

constexpr int kDamagedTriesMax = 3;     // of a GET that does not add up to its checksum
constexpr int kEmptyPagesMax = 10'000;  // of a listing that goes on all the same

Status check_sum(const http::Response& response) {
  std::optional<ChecksumOfObject> checksum = ChecksumOfObject::told_by(response.headers);
  if (!checksum) return {};
  checksum->update(response.body);
  return checksum->finish();
}

async::Task<Result<S3Object>> get_object(State state, std::string key) {
  for (int tries = 1;; ++tries) {
    ServiceRequest request;
    request.method = "GET";
    request.path = state->path_of(key);
    request.headers.add("x-amz-checksum-mode", "ENABLED");
    request.body_bytes_max = limits::kObjectBytesMax;
    RetriedOutcome outcome = co_await S3::State::call(state, S3Call::get, std::move(request));
    if (!outcome.answer) co_return std::unexpected(state->error_of(outcome.answer.error(), key));
    const Status sound = check_sum(*outcome.answer);
    if (!sound && tries < kDamagedTriesMax) continue;
    if (!sound) co_return std::unexpected(sound.error().at(state->location(key)));
    Result<std::string> etag = etag_of(*outcome.answer, state->location(key));
    if (!etag) co_return std::unexpected(etag.error());
    co_return S3Object{std::move(outcome.answer->body), std::move(*etag)};
  }
}

// RFC 9110 section 14.1.2. A last byte past the end is cut by S3; one past every number is left out.
std::string range_of(std::uint64_t offset, std::uint64_t size) {
  const std::string first = "bytes=" + std::to_string(offset) + "-";
  return size - 1 > UINT64_MAX - offset ? first : first + std::to_string(offset + size - 1);
}

async::Task<Result<S3ObjectInfo>> head_object(State state, std::string key) {
  const RetriedOutcome outcome = co_await S3::State::head(state, key);
  if (!outcome.answer) co_return std::unexpected(state->error_of(outcome.answer.error(), key));
  const http::Headers& headers = outcome.answer->headers;
  const std::string_view digits = headers.get("content-length");
  S3ObjectInfo info;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), info.size);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    co_return fail(ErrorKind::corrupt, "the answer of S3 to HEAD tells no size of the object", state->location(key));
  }
  Result<std::string> etag = etag_of(*outcome.answer, state->location(key));
  if (!etag) co_return std::unexpected(etag.error());
  info.etag = std::move(*etag);
  info.key = std::move(key);
  co_return info;
}

async::Task<Result<std::string>> get_bytes(State state, std::string key, std::uint64_t offset, std::uint64_t size,
                                           std::string etag) {
  if (size == 0) {  // no range of HTTP is empty, but what is not there must be told
    const Result<S3ObjectInfo> info = co_await head_object(state, key);
    if (!info) co_return std::unexpected(info.error());
    if (!etag.empty() && info->etag != etag)
      co_return fail(ErrorKind::changed, "another version was written since this one was read", state->location(key));
    co_return std::string();
  }
  ServiceRequest request;
  request.method = "GET";
  request.path = state->path_of(key);
  request.headers.add("range", range_of(offset, size));
  if (!etag.empty()) request.headers.add("if-match", std::move(etag));
  request.body_bytes_max = limits::kObjectBytesMax;
  RetriedOutcome outcome = co_await S3::State::call(state, S3Call::get, std::move(request));
  if (!outcome.answer) {
    const ServiceFailure& failure = outcome.answer.error();
    if (failure.status == 416) co_return std::string();
    co_return std::unexpected(state->error_of(failure, key));
  }
  const std::string wanted = "bytes " + std::to_string(offset) + "-";
  const std::string_view given = outcome.answer->headers.get("content-range");
  if (outcome.answer->status != 206 || !given.starts_with(wanted) || outcome.answer->body.size() > size) {
    co_return fail(ErrorKind::corrupt,
                   "S3 was asked for a range from byte " + std::to_string(offset) + " and gave '" + std::string(given) +
                       "' (HTTP " + std::to_string(outcome.answer->status) + ")",
                   state->location(key));
  }
  co_return std::move(outcome.answer->body);
}

async::Task<Result<std::unique_ptr<S3Stream>>> open_object(State state, std::string key, std::uint64_t offset) {
  auto stream = std::make_unique<S3Stream>(state, std::move(key), offset);
  if (const Status connected = co_await stream->connect(); !connected) co_return std::unexpected(connected.error());
  co_return stream;
}

async::Task<Result<std::string>> put_object(State state, std::string key, S3Body body, S3Condition condition) {
  ServiceRequest request;
  request.method = "PUT";
  request.path = state->path_of(key);
  if (Status ok = add_condition(request.headers, condition, state->location(key)); !ok) {
    co_return std::unexpected(ok.error());
  }
  const bool is_conditional = condition.if_absent || condition.if_match.has_value();
  const std::string write_id = is_conditional ? random_hex_id() : "";
  if (is_conditional) request.headers.add(std::string(kWriteIdHeader), write_id);
  request.headers.add("x-amz-checksum-crc32", crc32_header(body.crc32));
  request.shared_body = body.text;
  request.body_source = body.source;
  request.payload_sha256 = body.sha256;
  const RetriedOutcome outcome = co_await S3::State::call(state, S3Call::put, std::move(request));
  if (outcome.answer) co_return etag_of(*outcome.answer, state->location(key));
  Error error = state->error_of(outcome.answer.error(), key, condition);
  const bool is_lost =
      error.kind == ErrorKind::already_exists || error.kind == ErrorKind::changed || error.kind == ErrorKind::conflict;
  if (!is_conditional || !is_lost || !outcome.may_have_worked) co_return std::unexpected(std::move(error));
  // A try before this one may have put the object that this one then met.
  Result<std::optional<std::string>> own = co_await S3::State::own_write(state, key, write_id, &body);
  if (!own) co_return std::unexpected(std::move(own.error()));
  if (!own->has_value()) co_return std::unexpected(std::move(error));
  co_return std::move(**own);
}

async::Task<Status> remove_object(State state, std::string key, std::optional<std::string> if_match) {
  ServiceRequest request;
  request.method = "DELETE";
  request.path = state->path_of(key);
  if (if_match) request.headers.add("if-match", *if_match);
  const RetriedOutcome outcome = co_await S3::State::call(state, S3Call::remove, std::move(request));
  if (outcome.answer) co_return Status{};
  Error error = state->error_of(outcome.answer.error(), key);
  // Ours, when a try before may have removed it.
  const bool is_gone = error.kind == ErrorKind::not_found && (!if_match || outcome.may_have_worked);
  if (is_gone) co_return Status{};
  co_return std::unexpected(std::move(error));
}

// Whoever lists goes on behind the last key: one that stands still or goes back would never end.
Status check_order(const S3Page& page, const S3Query& query) {
  std::string_view before = query.start_after;
  for (const S3ObjectInfo& info : page.objects) {
    if (info.key <= before) {
      return fail(ErrorKind::corrupt, "a listing of S3 has the key '" + info.key + "' behind '" + std::string(before) +
                                          "': no general purpose bucket lists so");
    }
    before = info.key;
  }
  return {};
}

async::Task<Result<S3Page>> list_objects(State state, S3Query query) {
  std::string token;
  for (int pages = 0; pages < kEmptyPagesMax; ++pages) {
    ServiceRequest request;
    request.method = "GET";
    request.path = state->bucket.path();
    request.query = listing_query(query, token);
    const RetriedOutcome outcome = co_await S3::State::call(state, S3Call::list, std::move(request));
    if (!outcome.answer) co_return std::unexpected(state->error_of(outcome.answer.error(), query.prefix));
    Result<S3Listing> listing = parse_listing(outcome.answer->body);
    const Status ordered = listing ? check_order(listing->page, query) : std::unexpected(listing.error());
    if (!ordered) co_return std::unexpected(ordered.error().at(state->location(query.prefix)));
    const bool is_empty_but_more = listing->page.more && listing->page.objects.empty();
    if (!is_empty_but_more) co_return std::move(listing->page);
    token = std::move(listing->next_token);
  }
  co_return fail(ErrorKind::corrupt, "a listing of S3 goes on without end and without objects",
                 state->location(query.prefix));
}

}  // namespace

S3::S3(S3Bucket bucket, ServiceParts parts, RetryRules rules)
    : state_(std::make_shared<State>(std::move(bucket), std::move(parts), std::move(rules))) {}

S3::~S3() = default;

async::Task<Result<S3Object>> S3::get(std::string key) { return get_object(state_, std::move(key)); }

async::Task<Result<std::string>> S3::get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                               std::string etag) {
  return get_bytes(state_, std::move(key), offset, size, std::move(etag));
}

async::Task<Result<std::unique_ptr<S3Stream>>> S3::open(std::string key, std::uint64_t offset) {
  return open_object(state_, std::move(key), offset);
}

async::Task<Result<S3ObjectInfo>> S3::head(std::string key) { return head_object(state_, std::move(key)); }

async::Task<Result<std::string>> S3::put(std::string key, S3Body body, S3Condition condition) {
  return put_object(state_, std::move(key), std::move(body), std::move(condition));
}

async::Task<Result<std::unique_ptr<S3Upload>>> S3::start_upload(std::string key) {
  return S3Upload::start(state_, std::move(key));
}

async::Task<Status> S3::remove(std::string key, std::optional<std::string> if_match) {
  return remove_object(state_, std::move(key), std::move(if_match));
}

async::Task<Result<S3Page>> S3::list(S3Query query) { return list_objects(state_, std::move(query)); }

std::string S3::location(std::string_view key) const { return state_->location(key); }

S3Stats S3::stats() const { return state_->stats; }

}  // namespace palette::aws
