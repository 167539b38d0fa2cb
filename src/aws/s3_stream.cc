#include "aws/s3_stream.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "async/timer.h"
#include "aws/s3_state.h"

namespace palette::aws {
namespace {

// "bytes 3-9/10" is of 10.
std::optional<std::uint64_t> size_in_range(std::string_view content_range) {
  const std::size_t slash = content_range.rfind('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view digits = content_range.substr(slash + 1);
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return size;
}

}  // namespace

S3Stream::S3Stream(std::shared_ptr<S3::State> state, std::string key, std::uint64_t offset)
    : state_(std::move(state)),
      key_(std::move(key)),
      position_(offset),
      info_{.key = key_, .size = 0, .etag = {}},
      progress_at_ms_(state_->parts.clock->monotonic_ms()) {}

S3Stream::~S3Stream() = default;

ServiceRequest S3Stream::request() const {
  ServiceRequest out;
  out.method = "GET";
  out.path = state_->path_of(key_);
  if (position_ > 0) out.headers.add("range", "bytes=" + std::to_string(position_) + "-");
  if (!is_begun_ && position_ == 0) out.headers.add("x-amz-checksum-mode", "ENABLED");
  if (is_begun_) out.headers.add("if-match", info_.etag);
  return out;
}

void S3Stream::take(std::unique_ptr<http::ResponseStream> stream) {
  if (!is_begun_) {
    const http::Headers& headers = stream->headers();
    info_.etag = std::string(headers.get("etag"));
    const std::optional<std::uint64_t> size =
        position_ > 0 ? size_in_range(headers.get("content-range")) : stream->content_length();
    size_is_known_ = size.has_value();
    info_.size = size.value_or(0);
    if (position_ == 0) checksum_ = ChecksumOfObject::told_by(headers);
    is_begun_ = true;
  }
  stream_ = std::move(stream);
}

// What is read on must be what was asked for, and have a version to stay with.
Status S3Stream::check_answer(const http::ResponseStream& answer) const {
  const std::string_view range = answer.headers().get("content-range");
  const bool is_range = answer.status() == 206 && range.starts_with("bytes " + std::to_string(position_) + "-");
  if (position_ > 0 && !is_range) {
    return fail(ErrorKind::corrupt,
                "S3 was asked for an object from byte " + std::to_string(position_) + " on and gave '" +
                    std::string(range) + "' (HTTP " + std::to_string(answer.status()) + ")",
                state_->location(key_));
  }
  if (!answer.headers().get("etag").empty()) return {};
  return fail(ErrorKind::corrupt, "the answer of S3 has no ETag", state_->location(key_));
}

async::Task<Status> S3Stream::connect() {
  for (;;) {
    ServiceStream opened = co_await S3::State::open(state_, request());
    if (opened) {
      if (Status fits = check_answer(**opened); !fits) co_return fits;
      take(std::move(*opened));
      co_return Status{};
    }
    const ServiceFailure& failure = opened.error();
    if (failure.status == 416 && !is_begun_) {  // opened at its end, or past it
      has_ended_ = true;
      co_return Status{};
    }
    Error error = state_->error_of(failure, key_);
    if (error.kind == ErrorKind::changed) error.message = "the object was replaced while it was read; start again";
    if (!is_worth_another_try(error.kind)) co_return std::unexpected(std::move(error));
    Status paused = co_await pause_after(std::move(error));
    if (!paused) co_return paused;
  }
}

// Fails, with what went wrong, when there is to be no other try.
async::Task<Status> S3Stream::pause_after(Error error) {
  const RetryRules& rules = state_->rules;
  ++failed_;
  const std::int64_t pause_ms =
      std::max(error.retry_after_ms, pause_before_try_ms(rules, failed_, state_->random_unit()));
  const std::int64_t waited_ms = state_->parts.clock->monotonic_ms() - progress_at_ms_;
  if (failed_ >= rules.tries_max || (failed_ > 1 && waited_ms + pause_ms > rules.patience_ms)) {
    error.message += " (tried " + std::to_string(failed_) + " times)";
    co_return std::unexpected(std::move(error));
  }
  co_return co_await async::sleep_for(pause_ms);
}

Result<std::string> S3Stream::finish() {
  has_ended_ = true;
  stream_.reset();
  if (size_is_known_ && position_ != info_.size) {
    return fail(ErrorKind::corrupt,
                std::to_string(position_) + " bytes came of an object of " + std::to_string(info_.size),
                state_->location(key_));
  }
  if (!checksum_) return std::string();
  const Status sound = checksum_->finish();
  if (!sound) return std::unexpected(sound.error().at(state_->location(key_)));
  return std::string();
}

async::Task<Result<std::string>> S3Stream::next() {
  while (!has_ended_ && !failure_) {
    if (!stream_) {
      Status connected = co_await connect();
      if (!connected) failure_ = std::move(connected.error());
      continue;
    }
    http::Outcome<std::string> piece = co_await stream_->next();
    if (piece && piece->empty()) {
      Result<std::string> end = finish();
      if (!end) failure_ = end.error();
      continue;
    }
    if (piece) {
      position_ += piece->size();
      if (checksum_) checksum_->update(*piece);
      failed_ = 0;
      progress_at_ms_ = state_->parts.clock->monotonic_ms();
      co_return std::move(*piece);
    }
    stream_.reset();
    Error broken = piece.error().error.at(state_->location(key_));
    if (!is_worth_another_try(broken.kind)) {
      failure_ = std::move(broken);
      continue;
    }
    Status paused = co_await pause_after(std::move(broken));
    if (!paused) failure_ = std::move(paused.error());
  }
  if (failure_) co_return std::unexpected(*failure_);
  co_return std::string();
}

async::Task<Result<bool>> has_same_bytes(std::shared_ptr<S3::State> state, std::string key, std::uint64_t size,
                                         std::string sha256) {
  S3Stream stream(std::move(state), std::move(key), 0);
  if (const Status connected = co_await stream.connect(); !connected) co_return std::unexpected(connected.error());
  if (stream.info().size != size) co_return false;
  Sha256 hash;
  for (;;) {
    const Result<std::string> piece = co_await stream.next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    hash.update(*piece);
  }
  co_return hash.finish_hex() == sha256;
}

}  // namespace palette::aws
