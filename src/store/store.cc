#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/limits.h"
#include "store/job_store.h"
#include "store/object_store.h"

namespace palette::store {

std::string_view to_string(QueueStatus status) {
  static constexpr std::array<std::string_view, 3> kNames = {"QUEUED", "RUNNING", "PARKED"};
  return kNames[static_cast<std::size_t>(status)];
}

std::string_view to_string(WorkKind kind) {
  static constexpr std::array<std::string_view, 2> kNames = {"generate", "export"};
  return kNames[static_cast<std::size_t>(kind)];
}

QueuePosition QueuePosition::make(int priority, UtcTime submitted, const JobId& job, PartNumber part) {
  return {zero_padded(priority, 4) + "#" + submitted.to_iso() + "#" + job.text + "#" + zero_padded(part.value, 4)};
}

namespace {

class GatheringWriter final : public ObjectWriter {
 public:
  GatheringWriter(ObjectStore& objects, std::string key) : objects_(objects), key_(std::move(key)) {}

  async::Task<Status> append(std::string piece) override {
    body_ += piece;
    co_return Status{};
  }
  async::Task<Result<std::string>> commit() override { return objects_.put(key_, std::move(body_)); }

 private:
  ObjectStore& objects_;
  std::string key_, body_;
};

}  // namespace

async::Task<Result<std::unique_ptr<ObjectWriter>>> ObjectStore::open_put(std::string key) {
  co_return std::make_unique<GatheringWriter>(*this, std::move(key));
}

async::Task<Result<std::vector<ObjectInfo>>> list_all(ObjectStore& objects, std::string prefix, std::string start_after,
                                                      std::size_t limit) {
  std::vector<ObjectInfo> all;
  for (bool more = true; more;) {
    Result<ListPage> page = co_await objects.list(prefix, start_after, limits::kListPageKeys);
    if (!page) co_return std::unexpected(page.error());
    if (page->more && page->objects.empty()) {
      co_return fail(ErrorKind::internal, "an empty page of a listing says that more follow", prefix);
    }
    more = page->more;
    if (!page->objects.empty()) start_after = page->objects.back().key;
    std::ranges::move(page->objects, std::back_inserter(all));
    if (all.size() > limit) {
      co_return fail(ErrorKind::too_large, "more than " + std::to_string(limit) + " objects", prefix);
    }
  }
  co_return all;
}

}  // namespace palette::store
