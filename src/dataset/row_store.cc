#include "dataset/row_store.h"

#include <fmt/format.h>

#include <cstring>

namespace palette::dataset {
namespace {

constexpr std::size_t kEntryBytes = sizeof(std::uint64_t);

std::string_view bytes_of(const std::uint64_t& entry) { return {reinterpret_cast<const char*>(&entry), kEntryBytes}; }

}  // namespace

Error row_too_large(std::uint64_t number) {
  return Error{ErrorKind::bad_input,
               fmt::format("row {} is larger than {} bytes, the limit of a seed row; make it smaller or split it",
                           number, limits::kSeedRowBytesMax)};
}

Status check_row(std::size_t bytes, std::uint64_t count) {
  if (bytes > limits::kSeedRowBytesMax) return std::unexpected(row_too_large(count + 1));
  if (count >= static_cast<std::uint64_t>(limits::kSeedRowsMax)) {
    return fail(ErrorKind::bad_input,
                fmt::format("there are more than {} rows, the limit of seed data; take fewer", limits::kSeedRowsMax));
  }
  return {};
}

Status RowStore::add(std::string_view row) {
  if (Status allowed = check_row(row.size(), count_); !allowed) return allowed;
  ++count_;
  size_ += row.size();
  if (!is_spooled() && size_ + count_ * kEntryBytes > memory_bytes_max_) {
    if (Status spilled = spill(); !spilled) return spilled;
  }
  if (is_spooled()) {
    if (Status written = spool_->append(row); !written) return written;
    return index_->append(bytes_of(size_));
  }
  // Reserved once: a block that grows by doubling would be copied, and its pages count only when they are touched.
  if (text_.capacity() < memory_bytes_max_) text_.reserve(memory_bytes_max_);
  text_ += row;
  ends_.push_back(size_);
  return {};
}

Status RowStore::spill() {
  auto spool = SpoolFile::create(spool_dir_);
  if (!spool) return std::unexpected(spool.error());
  auto index = SpoolFile::create(spool_dir_);
  if (!index) return std::unexpected(index.error());
  spool_ = std::move(*spool);
  index_ = std::move(*index);
  if (Status written = spool_->append(text_); !written) return written;
  constexpr std::uint64_t kStart = 0;
  if (Status written = index_->append(bytes_of(kStart)); !written) return written;
  for (const std::uint64_t& end : ends_) {
    if (Status written = index_->append(bytes_of(end)); !written) return written;
  }
  text_ = std::string();
  ends_ = std::vector<std::uint64_t>();
  return {};
}

Status RowStore::finish() {
  if (!is_spooled()) return {};
  if (Status flushed = spool_->flush(); !flushed) return flushed;
  return index_->flush();
}

Result<std::string> RowStore::row(std::uint64_t index) const {
  if (index >= count_) {
    return fail(ErrorKind::internal, fmt::format("seed row {} was asked for, but there are {}", index, count_));
  }
  if (!is_spooled()) {
    const std::uint64_t start = index == 0 ? 0 : ends_[index - 1];
    return text_.substr(start, ends_[index] - start);
  }
  const auto entry = index_->read(index * kEntryBytes, 2 * kEntryBytes);
  if (!entry) return std::unexpected(entry.error());
  std::uint64_t bounds[2];
  std::memcpy(bounds, entry->data(), sizeof bounds);
  return spool_->read(bounds[0], bounds[1] - bounds[0]);
}

}  // namespace palette::dataset
