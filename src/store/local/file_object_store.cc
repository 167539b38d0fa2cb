#include "store/local/file_object_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fault.h"
#include "base/limits.h"
#include "store/local/folder_listing.h"
#include "store/local/object_etag.h"
#include "store/object_key.h"

namespace palette::store {
namespace {

constexpr std::string_view kTempName = ".tmp";
constexpr int kRenameTriesMax = 20;  // others may remove an empty folder just before we rename into it

Error not_found(const std::filesystem::path& path) {
  return Error{ErrorKind::not_found, "there is no such object", path.native()};
}

struct OpenObject {
  FileDescriptor file;
  struct stat info{};
};

// A folder, or a file where the key wants a folder, is no object.
Result<OpenObject> open_object(const std::filesystem::path& path) {
  const auto no_object = [&](const Error& error) {
    const bool absent = error.kind == ErrorKind::not_found || error.kind == ErrorKind::bad_input;
    return std::unexpected(absent ? not_found(path) : error);
  };
  Result<FileDescriptor> file = open_file(path, O_RDONLY);
  if (!file) return no_object(file.error());
  const Result<struct stat> info = stat_object(*file, path);
  if (!info) return no_object(info.error());
  return OpenObject{std::move(*file), *info};
}

// Whoever is told that an object exists may build on it: so its name must be on the disk, though another put it there.
Status already_exists(const std::filesystem::path& path) {
  const Status synced = sync_folder(path.parent_path());
  if (!synced && synced.error().kind != ErrorKind::not_found) return synced;
  return fail(ErrorKind::already_exists, "there is such an object already", path.native());
}

Status stamp_and_sync(const FileDescriptor& file, const std::filesystem::path& path) {
  const Status stamped = stamp_version(file, path);
  return stamped ? sync_file(file, path) : stamped;
}

Result<std::string> etag_of(const FileDescriptor& file, const std::filesystem::path& path) {
  const Result<struct stat> info = stat_object(file, path);
  if (!info) return std::unexpected(info.error());
  return object_etag(file, path, *info);
}

Status check_version(const OpenObject& object, const std::filesystem::path& path, const std::string& etag) {
  const Result<std::string> now = object_etag(object.file, path, object.info);
  if (!now) return std::unexpected(now.error());
  if (*now != etag)
    return fail(ErrorKind::changed, "another version was written since this one was read", path.native());
  return {};
}

// The content of `from` in a new file at `to`, on the disk.
Status copy_file(const FileDescriptor& from, const std::filesystem::path& from_path, const std::filesystem::path& to) {
  const Result<FileDescriptor> target = open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  if (!target) return std::unexpected(target.error());
  for (std::uint64_t offset = 0;;) {
    const Result<std::string> piece = read_bytes(from, from_path, offset, limits::kMiB);
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) return stamp_and_sync(*target, to);
    if (Status ok = write_all(*target, *piece, to); !ok) return ok;
    offset += piece->size();
  }
}

}  // namespace

FileObjectStore::FileObjectStore(std::filesystem::path root, async::BlockingPool& pool)
    : root_(std::move(root)), pool_(pool), temp_(root_ / kTempName) {}

async::Task<Result<Object>> FileObjectStore::get(std::string key) {
  co_return co_await pool_.run([this, key = std::move(key)] { return get_now(key); });
}

async::Task<Result<std::string>> FileObjectStore::get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                                            std::string etag) {
  co_return co_await pool_.run([this, key = std::move(key), offset, size, etag = std::move(etag)] {
    return get_range_now(key, offset, size, etag);
  });
}

async::Task<Result<ObjectInfo>> FileObjectStore::head(std::string key) {
  co_return co_await pool_.run([this, key = std::move(key)] { return head_now(key); });
}

async::Task<Result<std::string>> FileObjectStore::put(std::string key, std::string body, PutCondition condition) {
  co_return co_await pool_.run([this, key = std::move(key), body = std::move(body), condition = std::move(condition)] {
    return put_now(key, body, condition);
  });
}

async::Task<Result<std::string>> FileObjectStore::put_file(std::string key, std::filesystem::path file,
                                                           PutCondition condition) {
  co_return co_await pool_.run([this, key = std::move(key), file = std::move(file), condition = std::move(condition)] {
    return put_file_now(key, file, condition);
  });
}

// Into a file of its own, which gets its name at the end.
class FileObjectStore::Writer final : public ObjectWriter {
 public:
  Writer(FileObjectStore& store, std::string key, std::filesystem::path path, std::filesystem::path temp,
         FileDescriptor file)
      : store_(store), key_(std::move(key)), path_(std::move(path)), temp_(std::move(temp)), file_(std::move(file)) {}
  ~Writer() override {
    if (!is_published_) ::unlink(temp_.c_str());
  }

  async::Task<Status> append(std::string piece) override {
    co_return co_await store_.pool_.run(
        [this, piece = std::move(piece)]() -> Status { return write_all(file_, piece, temp_); });
  }
  async::Task<Result<std::string>> commit() override {
    co_return co_await store_.pool_.run([this] { return commit_now(); });
  }

 private:
  Result<std::string> commit_now() {
    if (Status synced = stamp_and_sync(file_, temp_); !synced) return std::unexpected(synced.error());
    Result<std::string> etag = etag_of(file_, temp_);
    if (!etag) return etag;
    if (Status done = store_.publish(key_, temp_, path_, {}); !done) return std::unexpected(done.error());
    is_published_ = true;
    return etag;
  }

  FileObjectStore& store_;
  std::string key_;
  std::filesystem::path path_, temp_;
  FileDescriptor file_;
  bool is_published_ = false;
};

async::Task<Result<std::unique_ptr<ObjectWriter>>> FileObjectStore::open_put(std::string key) {
  co_return co_await pool_.run([this, key = std::move(key)] { return open_put_now(key); });
}

Result<std::unique_ptr<ObjectWriter>> FileObjectStore::open_put_now(const std::string& key) {
  Result<std::filesystem::path> path = path_of(key);
  if (!path) return std::unexpected(path.error());
  Result<std::filesystem::path> temp = temp_.new_path();
  if (!temp) return std::unexpected(temp.error());
  Result<FileDescriptor> file = open_file(*temp, O_RDWR | O_CREAT | O_EXCL);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<Writer>(*this, key, std::move(*path), std::move(*temp), std::move(*file));
}

async::Task<Status> FileObjectStore::remove(std::string key) {
  co_return co_await pool_.run([this, key = std::move(key)] { return remove_now(key); });
}

async::Task<Result<ListPage>> FileObjectStore::list(std::string prefix, std::string start_after, std::size_t limit) {
  co_return co_await pool_.run(
      [this, prefix = std::move(prefix), start_after = std::move(start_after), limit]() -> Result<ListPage> {
        if (Status ok = check_object_prefix(prefix); !ok) return std::unexpected(ok.error());
        return list_folder_tree(root_, prefix, start_after, std::min(limit, limits::kListPageKeys), kTempName);
      });
}

std::string FileObjectStore::location(const std::string& key) const { return (root_ / key).native(); }

Result<std::filesystem::path> FileObjectStore::path_of(const std::string& key) const {
  if (Status ok = check_object_key(key); !ok) return std::unexpected(ok.error());
  if (key == kTempName || key.starts_with(std::string(kTempName) + "/")) {
    return fail(ErrorKind::bad_input, "the object key '" + key + "' begins with '.tmp', which the store uses itself");
  }
  return root_ / key;
}

Result<Object> FileObjectStore::get_now(const std::string& key) const {
  const Result<std::filesystem::path> path = path_of(key);
  if (!path) return std::unexpected(path.error());
  const Result<OpenObject> object = open_object(*path);
  if (!object) return std::unexpected(object.error());
  const auto size = static_cast<std::uint64_t>(object->info.st_size);
  if (size > limits::kObjectBytesMax) {
    return fail(ErrorKind::too_large, std::to_string(size) + " bytes; read it in ranges", path->native());
  }
  Result<std::string> body = read_bytes(object->file, *path, 0, size);
  if (!body) return std::unexpected(body.error());
  Result<std::string> etag = object_etag(object->file, *path, object->info);
  if (!etag) return std::unexpected(etag.error());
  return Object{std::move(*body), std::move(*etag)};
}

Result<std::string> FileObjectStore::get_range_now(const std::string& key, std::uint64_t offset, std::uint64_t size,
                                                   const std::string& etag) const {
  const Result<std::filesystem::path> path = path_of(key);
  if (!path) return std::unexpected(path.error());
  const Result<OpenObject> object = open_object(*path);
  if (!object) return std::unexpected(object.error());
  if (!etag.empty()) {
    if (Status same = check_version(*object, *path, etag); !same) return std::unexpected(same.error());
  }
  const auto end = static_cast<std::uint64_t>(object->info.st_size);
  if (offset >= end) return std::string();
  size = std::min(size, end - offset);
  if (size > limits::kObjectBytesMax) {
    return fail(ErrorKind::too_large, "a range of " + std::to_string(size) + " bytes", path->native());
  }
  return read_bytes(object->file, *path, offset, size);
}

Result<ObjectInfo> FileObjectStore::head_now(const std::string& key) const {
  const Result<std::filesystem::path> path = path_of(key);
  if (!path) return std::unexpected(path.error());
  const Result<OpenObject> object = open_object(*path);
  if (!object) return std::unexpected(object.error());
  const Result<std::string> etag = object_etag(object->file, *path, object->info);
  if (!etag) return std::unexpected(etag.error());
  return ObjectInfo{key, static_cast<std::uint64_t>(object->info.st_size), *etag};
}

Result<std::string> FileObjectStore::put_now(const std::string& key, std::string_view body,
                                             const PutCondition& condition) {
  const Result<std::filesystem::path> path = path_of(key);
  if (!path) return std::unexpected(path.error());
  if (Status ok = check_before_writing(*path, condition); !ok) return std::unexpected(ok.error());
  const Result<std::filesystem::path> temp = temp_.new_path();
  if (!temp) return std::unexpected(temp.error());
  const Result<FileDescriptor> file = open_file(*temp, O_RDWR | O_CREAT | O_EXCL);
  if (!file) return std::unexpected(file.error());
  Status done = write_all(*file, body, *temp);
  if (done) done = stamp_and_sync(*file, *temp);
  Result<std::string> etag = done ? etag_of(*file, *temp) : std::unexpected(done.error());
  if (etag) done = publish(key, *temp, *path, condition);
  if (etag && done) return etag;
  ::unlink(temp->c_str());
  return std::unexpected(etag ? done.error() : etag.error());
}

Result<std::string> FileObjectStore::put_file_now(const std::string& key, const std::filesystem::path& file,
                                                  const PutCondition& condition) {
  const Result<std::filesystem::path> path = path_of(key);
  if (!path) return std::unexpected(path.error());
  if (Status ok = check_before_writing(*path, condition); !ok) return std::unexpected(ok.error());
  const Result<FileDescriptor> source = open_file(file, O_RDONLY | O_NOFOLLOW);
  if (!source) return std::unexpected(source.error());
  const Result<struct stat> source_info = stat_object(*source, file);
  if (!source_info) return std::unexpected(source_info.error());
  const Result<std::filesystem::path> temp = temp_.new_path();
  if (!temp) return std::unexpected(temp.error());
  struct stat temp_folder{};
  if (::stat(temp->parent_path().c_str(), &temp_folder) != 0) {
    return std::unexpected(system_error("stat", temp->native(), errno));
  }
  const bool same_file_system = temp_folder.st_dev == source_info->st_dev;
  const std::filesystem::path& from = same_file_system ? file : *temp;
  Status done = same_file_system ? stamp_and_sync(*source, file) : copy_file(*source, file, *temp);
  const Result<OpenObject> object = done ? open_object(from) : std::unexpected(done.error());
  if (!object) return std::unexpected(object.error());
  const Result<std::string> etag = object_etag(object->file, from, object->info);
  if (!etag) return etag;
  done = publish(key, from, *path, condition);
  if (!same_file_system) ::unlink(done ? file.c_str() : temp->c_str());
  if (!done) return std::unexpected(done.error());
  return etag;
}

// Only to spare work: publish() decides.
Status FileObjectStore::check_before_writing(const std::filesystem::path& path, const PutCondition& condition) const {
  if (condition.if_absent && condition.if_match) {
    return fail(ErrorKind::bad_input, "a put is conditional on absence or on an ETag, not on both", path.native());
  }
  struct stat info{};
  if (!condition.if_absent || ::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  return already_exists(path);
}

// Gives the synced file `from` its name, under the condition, and syncs the folder.
Status FileObjectStore::publish(const std::string& key, const std::filesystem::path& from,
                                const std::filesystem::path& path, const PutCondition& condition) {
  fault::durable_write("object.before_rename " + key);
  Status renamed;
  for (int tries = 0; tries < kRenameTriesMax; ++tries) {
    renamed = rename_once(from, path, condition);
    if (renamed || renamed.error().kind != ErrorKind::not_found || condition.if_match) break;
    if (Status made = make_folders(path.parent_path()); !made) return made;
  }
  if (!renamed) return renamed.error().kind == ErrorKind::already_exists ? already_exists(path) : renamed;
  fault::durable_write("object.after_rename " + key);
  const Status synced = sync_folder(path.parent_path());
  // Gone: the object was removed in the meantime, and its empty folder with it.
  if (!synced && synced.error().kind != ErrorKind::not_found) return synced;
  return {};
}

Status FileObjectStore::rename_once(const std::filesystem::path& from, const std::filesystem::path& path,
                                    const PutCondition& condition) {
  if (condition.if_absent) return rename_if_absent(from, path);
  // A put between another's comparison and its rename would be lost without a trace: hence the lock.
  const Result<FileDescriptor> lock = temp_.lock_root();
  if (!lock) return std::unexpected(lock.error());
  if (condition.if_match) {
    if (Status ok = check_match(path, *condition.if_match); !ok) return ok;
  }
  return rename_over(from, path);
}

Status FileObjectStore::check_match(const std::filesystem::path& path, const std::string& etag) const {
  const Result<OpenObject> object = open_object(path);
  if (!object) return std::unexpected(object.error());
  return check_version(*object, path, etag);
}

Status FileObjectStore::remove_now(const std::string& key) {
  const Result<std::filesystem::path> path = path_of(key);
  if (!path) return std::unexpected(path.error());
  struct stat info{};
  if (::stat(path->c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  const Result<FileDescriptor> lock = temp_.lock_root();
  if (!lock) return std::unexpected(lock.error());
  fault::durable_write("object.before_remove " + key);
  if (::unlink(path->c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return {};
    return std::unexpected(system_error("unlink", path->native(), errno));
  }
  fault::durable_write("object.after_remove " + key);
  remove_empty_folders(path->parent_path());
  return {};
}

// So that a job that was removed leaves nothing behind, and a key may take a name that once was a folder.
void FileObjectStore::remove_empty_folders(std::filesystem::path folder) const {
  while (folder != root_ && ::rmdir(folder.c_str()) == 0) folder = folder.parent_path();
}

}  // namespace palette::store
