#include "aws/s3_state.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "aws/s3_stream.h"
#include "aws/sigv4.h"

namespace palette::aws {
namespace {

const ServiceName kS3{.host_prefix = "s3", .signing_name = "s3", .sdk_id = "S3"};

// 400 and 403, but another try may help: the body came damaged, or another request was at the same thing.
constexpr std::array<std::string_view, 3> kTriedAgain = {"BadDigest", "XAmzContentSHA256Mismatch", "OperationAborted"};

bool is_tried_again(const ServiceFailure& failure) {
  return std::ranges::find(kTriedAgain, failure.code) != kTriedAgain.end();
}

bool is_tried_again_with_conflicts(const ServiceFailure& failure) {
  return is_tried_again(failure) || failure.status == 409;
}

// A body may take its time as long as it moves; one that is held in memory not for ever.
http::Deadlines deadlines_of_call() {
  return {.connect_ms = 5'000, .first_byte_ms = 30'000, .idle_ms = 30'000, .total_ms = 900'000};
}

// Who reads a stream may take hours for it.
http::Deadlines deadlines_of_stream() {
  http::Deadlines deadlines = deadlines_of_call();
  deadlines.total_ms = 0;
  return deadlines;
}

std::uint64_t random_key() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

S3::State::State(S3Bucket its_bucket, ServiceParts its_parts, RetryRules its_rules)
    : bucket(std::move(its_bucket)),
      parts(std::move(its_parts)),
      rules(std::move(its_rules)),
      random(random_key(), 0, 0) {
  make_services();
}

void S3::State::make_services() {
  service = std::make_shared<Service>(kS3, bucket.address(), bucket.region, parts);
  RetryRules own = rules;
  own.also = is_tried_again_with_conflicts;
  calls = std::make_unique<RetriedService>(service, own, *parts.clock);
  // After a 409 an upload in parts starts again from its beginning (user guide, "Conditional writes").
  own.also = is_tried_again;
  own.check = check_completion;
  completions = std::make_unique<RetriedService>(service, own, *parts.clock);
}

RetriedService& S3::State::service_for(S3Call kind) { return kind == S3Call::complete ? *completions : *calls; }

void S3::State::count(S3Call kind, int tries) {
  switch (kind) {
    case S3Call::get:
      stats.gets += tries;
      break;
    case S3Call::put:
    case S3Call::complete:
      stats.puts += tries;
      break;
    case S3Call::list:
      stats.lists += tries;
      break;
    case S3Call::remove:
      stats.deletes += tries;
      break;
  }
}

bool S3::State::learn_region(const ServiceFailure& failure, const std::string& used_region) {
  std::string region = region_told_by(failure);
  if (region.empty() || region == used_region) return false;
  if (region == bucket.region) return true;  // another call has learnt it meanwhile
  Result<S3Bucket> moved = s3_bucket_in(bucket, std::move(region));
  if (!moved) return false;
  bucket = std::move(*moved);
  make_services();
  return true;
}

async::Task<RetriedOutcome> S3::State::call(std::shared_ptr<State> state, S3Call kind, ServiceRequest request) {
  request.deadlines = deadlines_of_call();
  const std::string used_region = state->bucket.region;
  RetriedOutcome outcome = co_await state->service_for(kind).call(request);
  state->count(kind, outcome.tries);
  if (outcome.answer || !state->learn_region(outcome.answer.error(), used_region)) co_return outcome;
  RetriedOutcome again = co_await state->service_for(kind).call(std::move(request));
  state->count(kind, again.tries);
  again.may_have_worked = again.may_have_worked || outcome.may_have_worked;
  co_return again;
}

async::Task<ServiceStream> S3::State::open(std::shared_ptr<State> state, ServiceRequest request) {
  request.deadlines = deadlines_of_stream();
  const std::string used_region = state->bucket.region;
  std::shared_ptr<Service> used = state->service;
  state->count(S3Call::get, 1);
  ServiceStream stream = co_await used->open(request);
  if (stream || !state->learn_region(stream.error(), used_region)) co_return stream;
  used = state->service;
  state->count(S3Call::get, 1);
  co_return co_await used->open(std::move(request));
}

std::string S3::State::path_of(std::string_view key) const { return bucket.path() + "/" + uri_encode(key, true); }

async::Task<RetriedOutcome> S3::State::head(std::shared_ptr<State> state, std::string key) {
  ServiceRequest request;
  request.method = "HEAD";
  request.path = state->path_of(key);
  RetriedOutcome outcome = co_await call(state, S3Call::get, request);
  if (outcome.answer) co_return outcome;
  const int status = outcome.answer.error().status;
  if (status != 400 && status != 403 && status != 301) co_return outcome;
  // It may be expired credentials, a wrong region, a clock: what Service and call() mend when they are told.
  ServiceRequest question = request;
  question.method = "GET";
  question.headers.add("range", "bytes=0-0");
  RetriedOutcome explained = co_await call(state, S3Call::get, std::move(question));
  const bool is_mended = explained.answer || explained.answer.error().status == 416;  // 416: an empty object
  if (!is_mended) co_return explained;
  co_return co_await call(state, S3Call::get, std::move(request));
}

async::Task<Result<std::optional<std::string>>> S3::State::own_write(std::shared_ptr<State> state, std::string key,
                                                                     std::string write_id, const S3Body* body) {
  const RetriedOutcome found = co_await head(state, key);
  if (!found.answer) {
    Error error = state->error_of(found.answer.error(), key);
    if (error.kind == ErrorKind::not_found) {
      error.kind = ErrorKind::conflict;
      error.message = "the object was removed while it was put, and whether ours was there is not known; put it again";
    }
    co_return std::unexpected(std::move(error));
  }
  const std::string_view id = found.answer->headers.get(kWriteIdHeader);
  bool is_own = id == write_id;
  if (id.empty() && body != nullptr) {
    const Result<bool> same = co_await has_same_bytes(state, key, body->size, body->sha256);
    if (!same) co_return std::unexpected(same.error());
    is_own = *same;
  }
  if (!is_own) co_return std::nullopt;
  Result<std::string> etag = etag_of(*found.answer, state->location(key));
  if (!etag) co_return std::unexpected(etag.error());
  co_return std::move(*etag);
}

Error S3::State::error_of(const ServiceFailure& failure, std::string_view key, const S3Condition& condition) const {
  Error error = failure.error;
  const bool is_unmet = failure.status == 412 || failure.code == "PreconditionFailed";
  if (is_unmet) error.kind = condition.if_absent ? ErrorKind::already_exists : ErrorKind::changed;
  if (failure.code == "NoSuchBucket") {
    // Not `not_found`: what is missing is not the object, and nobody may take this for an empty start.
    error.kind = ErrorKind::bad_input;
    error.message +=
        "; there is no bucket '" + bucket.name + "' in " + bucket.region + ": check its name and region, or create it";
  } else if (error.kind == ErrorKind::denied && failure.status == 403) {
    error.message += " (where s3:ListBucket is not allowed, an object that does not exist is answered so too)";
  }
  return error.at(location(key));
}

Result<std::string> etag_of(const http::Response& response, const std::string& where) {
  const std::string_view etag = response.headers.get("etag");
  if (etag.empty()) return fail(ErrorKind::corrupt, "the answer of S3 has no ETag", where);
  return std::string(etag);
}

Status add_condition(http::Headers& headers, const S3Condition& condition, const std::string& where) {
  if (condition.if_absent && condition.if_match) {
    return fail(ErrorKind::bad_input, "a put is conditional on absence or on an ETag, not on both", where);
  }
  if (condition.if_absent) headers.add("if-none-match", "*");
  if (condition.if_match) headers.add("if-match", *condition.if_match);
  return {};
}

}  // namespace palette::aws
