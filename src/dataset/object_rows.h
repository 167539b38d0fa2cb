// The rows of a large object of seed data: each is read from the object when it is asked for, with its neighbours, so
// that rows in sequence do not cost a request each.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataset/row_source.h"
#include "dataset/seed_index.h"
#include "store/object_store.h"

namespace palette::dataset {

// Lives on the loop's thread, longer than every fetch(); row() may be called from others.
class ObjectRows final : public RowSource {
 public:
  // At least so many bytes are read at once.
  static constexpr std::uint64_t kWindowBytes = 64 * limits::kKiB;
  // Neighbours that would be more than this are not read along.
  static constexpr std::uint64_t kWindowBytesMax = 2 * limits::kMiB;
  static constexpr std::uint64_t kCacheBytes = 8 * limits::kMiB;

  // Of the version `etag` of the object; `objects` must outlive it.
  ObjectRows(store::ObjectStore& objects, std::string key, std::string etag, SeedIndex index);
  ~ObjectRows() override;

  // Reads the rows that are to be at hand; before anything else.
  async::Task<Status> read_head();

  std::uint64_t count() const override { return index_.summary().rows; }
  std::uint64_t at_hand() const override { return head_.size(); }
  Result<std::string> row(std::uint64_t index) const override;
  // Errors: those of the store; changed when another object is there now; corrupt when the index is not its.
  async::Task<Result<std::string>> fetch(std::uint64_t index) override;

 private:
  struct Window;
  class Reading;
  using Rows = std::pair<std::uint64_t, std::uint64_t>;  // the first and the last

  Result<Rows> neighbours_of(std::uint64_t index) const;
  Result<TextSpan> span_of(Rows rows) const;
  async::Task<Result<std::shared_ptr<const Window>>> window(Rows rows);
  async::Task<Result<std::shared_ptr<const Window>>> read_window(Rows rows);
  void make_room();
  Result<std::string> compact(std::string_view text) const;
  Error explained(Error error) const;

  store::ObjectStore& objects_;
  std::string key_, etag_;
  SeedIndex index_;
  std::string header_;                // CSV: a line with the header
  std::uint64_t rows_of_window_ = 1;  // unless they are too large together
  std::vector<std::string> head_;
  std::map<Rows, std::shared_ptr<Window>> windows_;  // read, or being read
  std::uint64_t window_bytes_ = 0;                   // of those that are read
  std::uint64_t uses_ = 0;
};

}  // namespace palette::dataset
