#include "dataset/object_rows.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "dataset/seed_object.h"

namespace palette::dataset {
namespace {

// RFC 4180: a record of quoted fields.
std::string csv_record(const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& field : fields) {
    out += out.empty() ? "\"" : ",\"";
    for (const char c : field) {
      if (c == '"') out += c;
      out += c;
    }
    out += '"';
  }
  return out + "\n";
}

// Takes the one row that is expected.
class OneRow final : public RowSink {
 public:
  Status add(std::string_view row) override {
    text = row;
    ++rows;
    return {};
  }
  std::uint64_t count() const override { return rows; }

  std::string text;
  std::uint64_t rows = 0;
};

}  // namespace

// Neighbouring rows. Who finds it while it is being read waits for `settled`.
struct ObjectRows::Window {
  explicit Window(const boost::asio::any_io_executor& executor)
      : settled(executor, boost::asio::steady_timer::time_point::max()) {}

  TextSpan span;
  std::string text;
  bool is_read = false;
  std::optional<Error> failure;
  std::uint64_t last_use = 0;
  boost::asio::steady_timer settled;
};

// The task that reads a window. However it ends, nobody waits for it afterwards, and what could not be read can be
// tried again.
class ObjectRows::Reading {
 public:
  Reading(ObjectRows& rows, Rows which, std::shared_ptr<Window> window)
      : rows_(rows), which_(which), window_(std::move(window)) {
    rows_.windows_.emplace(which_, window_);
  }
  Reading(const Reading&) = delete;
  ~Reading() {
    if (!window_->is_read) {
      if (!window_->failure) window_->failure = Error{ErrorKind::cancelled, "the reading was stopped"};
      rows_.windows_.erase(which_);
    }
    window_->settled.cancel();
  }

 private:
  ObjectRows& rows_;
  Rows which_;
  std::shared_ptr<Window> window_;
};

ObjectRows::ObjectRows(store::ObjectStore& objects, std::string key, std::string etag, SeedIndex index)
    : objects_(objects), key_(std::move(key)), etag_(std::move(etag)), index_(std::move(index)) {
  const SeedSummary& summary = index_.summary();
  if (summary.format == SeedFormat::csv) header_ = csv_record(summary.header);
  const std::uint64_t mean = summary.object_bytes / summary.rows + 1;
  rows_of_window_ = (kWindowBytes + mean - 1) / mean;
}

ObjectRows::~ObjectRows() = default;

async::Task<Status> ObjectRows::read_head() {
  std::vector<std::string> head;
  for (std::uint64_t i = 0; i < index_.summary().head_rows; ++i) {
    Result<std::string> text = co_await fetch(i);
    if (!text) co_return std::unexpected(text.error());
    head.push_back(std::move(*text));
  }
  head_ = std::move(head);
  co_return Status{};
}

Result<std::string> ObjectRows::row(std::uint64_t index) const {
  if (index < head_.size()) return head_[index];
  return fail(ErrorKind::internal,
              "seed row " + std::to_string(index) + " is not at hand: it must be fetched from the object",
              objects_.location(key_));
}

async::Task<Result<std::string>> ObjectRows::fetch(std::uint64_t index) {
  if (index < head_.size()) co_return head_[index];
  if (index >= count())
    co_return fail(ErrorKind::internal,
                   "seed row " + std::to_string(index) + " was asked for, but there are " + std::to_string(count()));
  const Result<TextSpan> span = index_.span_of(index);
  const Result<Rows> rows = span ? neighbours_of(index) : std::unexpected(span.error());
  if (!rows) co_return std::unexpected(explained(rows.error()));
  const Result<std::shared_ptr<const Window>> read = co_await window(*rows);
  if (!read) co_return std::unexpected(explained(read.error()));
  const Window& neighbours = **read;
  // The index says so of rows that are not in order, too.
  const bool is_inside = span->begin >= neighbours.span.begin &&
                         span->begin + span->size <= neighbours.span.begin + neighbours.text.size();
  Result<std::string> text =
      is_inside ? compact(std::string_view(neighbours.text).substr(span->begin - neighbours.span.begin, span->size))
                : fail(ErrorKind::corrupt, "the index of the seed data is not in order; remove it, it is made again");
  if (!text) co_return std::unexpected(explained(text.error()));
  co_return text;
}

// The rows that are read with `index`: its run of rows_of_window_, or itself where these are too large together.
Result<ObjectRows::Rows> ObjectRows::neighbours_of(std::uint64_t index) const {
  const std::uint64_t first = index / rows_of_window_ * rows_of_window_;
  const Rows run{first, std::min(first + rows_of_window_, count()) - 1};
  const Result<TextSpan> span = span_of(run);
  if (!span) return std::unexpected(span.error());
  return span->size <= kWindowBytesMax ? run : Rows{index, index};
}

Result<TextSpan> ObjectRows::span_of(Rows rows) const {
  const Result<TextSpan> first = index_.span_of(rows.first), last = index_.span_of(rows.second);
  if (!first) return first;
  if (!last) return last;
  if (last->begin < first->begin)
    return fail(ErrorKind::corrupt, "the index of the seed data is not in order; remove it, it is made again");
  return TextSpan{first->begin, last->begin + last->size - first->begin};
}

async::Task<Result<std::shared_ptr<const ObjectRows::Window>>> ObjectRows::window(Rows rows) {
  for (;;) {
    const auto found = windows_.find(rows);
    if (found == windows_.end()) co_return co_await read_window(rows);
    const std::shared_ptr<Window> other = found->second;
    other->last_use = ++uses_;
    if (!other->is_read) (void)co_await other->settled.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (other->is_read) co_return other;
    // It is we who were cancelled, not the one who reads.
    if (!other->failure) co_return fail(ErrorKind::cancelled, "the wait for a seed row was cancelled");
    if (other->failure->kind != ErrorKind::cancelled) co_return std::unexpected(*other->failure);
  }
}

async::Task<Result<std::shared_ptr<const ObjectRows::Window>>> ObjectRows::read_window(Rows rows) {
  const Result<TextSpan> span = span_of(rows);
  if (!span) co_return std::unexpected(span.error());
  auto fresh = std::make_shared<Window>(co_await boost::asio::this_coro::executor);
  const Reading reading(*this, rows, fresh);
  fresh->span = *span;
  fresh->last_use = ++uses_;
  Result<std::string> text = co_await objects_.get_range(key_, span->begin, span->size, etag_);
  if (!text) {
    fresh->failure = text.error();
    co_return std::unexpected(text.error());
  }
  fresh->text = std::move(*text);
  fresh->is_read = true;
  window_bytes_ += fresh->text.size();
  make_room();
  co_return fresh;
}

// Whoever still uses a window that goes keeps it alive.
void ObjectRows::make_room() {
  while (window_bytes_ > kCacheBytes) {
    auto oldest = windows_.end();
    for (auto at = windows_.begin(); at != windows_.end(); ++at) {
      if (!at->second->is_read) continue;
      if (oldest == windows_.end() || at->second->last_use < oldest->second->last_use) oldest = at;
    }
    if (oldest == windows_.end()) return;
    window_bytes_ -= oldest->second->text.size();
    windows_.erase(oldest);
  }
}

// The row's own text as the readers give it. What the pass that made the index has checked is not checked again.
Result<std::string> ObjectRows::compact(std::string_view text) const {
  OneRow row;
  const std::unique_ptr<RowReader> reader = make_row_reader(index_.summary().format, row);
  Status read = reader->take(header_, 0);
  if (read) read = reader->take(text, header_.size());
  if (read) read = reader->finish();
  if (!read || row.rows != 1)
    return fail(ErrorKind::corrupt, "the index of the seed data is not of this object; remove it, it is made again");
  return std::move(row.text);
}

Error ObjectRows::explained(Error error) const {
  if (error.kind == ErrorKind::changed) error.message = "the seed data was replaced since it was opened";
  // What the store finds corrupt says where; else it is the index.
  return error.at(objects_.location(error.kind == ErrorKind::corrupt ? seed_index_key(key_, etag_) : key_));
}

}  // namespace palette::dataset
