#include "store/local/folder_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace palette::store {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

enum class EntryKind : std::uint8_t { file, folder, other };

EntryKind kind_of(DIR* folder, const dirent& entry) {
  if (entry.d_type == DT_REG) return EntryKind::file;
  if (entry.d_type == DT_DIR) return EntryKind::folder;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return EntryKind::other;
  struct stat info{};
  if (::fstatat(::dirfd(folder), entry.d_name, &info, 0) != 0) return EntryKind::other;
  if (S_ISREG(info.st_mode)) return EntryKind::file;
  return entry.d_type == DT_UNKNOWN && S_ISDIR(info.st_mode) ? EntryKind::folder : EntryKind::other;
}

// The names of one folder that a listing wants, in one piece of memory. A folder's name ends with its slash: sorted so,
// the folder's keys stand where the bytes of the whole keys put them ("a.x" < "a/b" < "ab").
class Names {
 public:
  void add(std::string_view name, bool is_folder) {
    places_.push_back({text_.size(), name.size() + (is_folder ? 1 : 0)});
    text_ += name;
    if (is_folder) text_ += '/';
  }

  std::size_t size() const { return places_.size(); }

  // The i-th smallest, asked in order from 0; sorted in pieces of `piece`, so that a page of a large folder costs
  // little.
  std::string_view get(std::size_t i, std::size_t piece) {
    if (i == sorted_) {
      const auto less = [this](Place a, Place b) { return text(a) < text(b); };
      const auto from = places_.begin() + static_cast<std::ptrdiff_t>(i);
      const auto to = from + static_cast<std::ptrdiff_t>(std::min(piece, size() - i));
      if (to != places_.end()) std::nth_element(from, to, places_.end(), less);
      std::sort(from, to, less);
      sorted_ = static_cast<std::size_t>(to - places_.begin());
    }
    return text(places_[i]);
  }

 private:
  struct Place {
    std::size_t at = 0, size = 0;
  };
  std::string_view text(Place place) const { return std::string_view(text_).substr(place.at, place.size); }

  std::string text_;
  std::vector<Place> places_;
  std::size_t sorted_ = 0;
};

class Listing {
 public:
  Listing(const std::filesystem::path& root, std::string_view prefix, std::string_view start_after, std::size_t limit,
          std::string_view hidden)
      : root_(root), prefix_(prefix), start_after_(start_after), limit_(limit), hidden_(hidden) {}

  // Adds the files of a folder ("" is the root, else it ends with a slash).
  Status visit(const std::string& folder_key) {
    const std::filesystem::path path = root_ / folder_key;
    const Folder folder(::opendir(path.c_str()));
    if (!folder) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return std::unexpected(system_error("opendir", path.native(), errno));
    }
    Result<Names> names = read_names(folder.get(), folder_key, path);
    if (!names) return std::unexpected(names.error());
    for (std::size_t i = 0; i < names->size() && !page_.more; ++i) {
      const std::string name(names->get(i, limit_ - page_.objects.size() + 1));
      if (name.back() == '/') {
        if (Status ok = visit(folder_key + name); !ok) return ok;
      } else {
        add_file(folder.get(), folder_key, name);
      }
    }
    return {};
  }

  ListPage take_page() { return std::move(page_); }

 private:
  Result<Names> read_names(DIR* folder, const std::string& folder_key, const std::filesystem::path& path) const {
    // What prefix and start_after say about names in this folder: visit() is called only where they begin with its key.
    const std::string_view prefix = prefix_.size() > folder_key.size() ? prefix_.substr(folder_key.size()) : "";
    const std::string_view after = start_after_.starts_with(folder_key) ? start_after_.substr(folder_key.size()) : "";
    Names names;
    errno = 0;
    for (const dirent* entry = ::readdir(folder); entry; errno = 0, entry = ::readdir(folder)) {
      const std::string_view name = entry->d_name;
      // A folder "a/" may hold keys after "a/b"; no other name that is smaller than `after` does.
      if (name < after && !after.starts_with(name)) continue;
      if (!name.starts_with(prefix) && !prefix.starts_with(name)) continue;
      if (name == "." || name == ".." || (folder_key.empty() && name == hidden_)) continue;
      const EntryKind kind = kind_of(folder, *entry);
      if (kind == EntryKind::file && name.starts_with(prefix) && name > after) names.add(name, false);
      if (kind == EntryKind::folder && wants_folder(name, prefix, after)) names.add(name, true);
    }
    if (errno != 0) return std::unexpected(system_error("readdir", path.native(), errno));
    return names;
  }

  static bool wants_folder(std::string_view name, std::string_view prefix, std::string_view after) {
    const std::string with_slash = std::string(name) + "/";
    return (with_slash.starts_with(prefix) || prefix.starts_with(with_slash)) &&
           (with_slash > after || after.starts_with(with_slash));
  }

  void add_file(DIR* folder, const std::string& folder_key, const std::string& name) {
    if (page_.objects.size() == limit_) {
      page_.more = true;
      return;
    }
    struct stat info{};
    if (::fstatat(::dirfd(folder), name.c_str(), &info, 0) != 0) return;  // removed since
    page_.objects.push_back({folder_key + name, static_cast<std::uint64_t>(info.st_size), {}});
  }

  const std::filesystem::path& root_;
  std::string_view prefix_, start_after_;
  std::size_t limit_;
  std::string_view hidden_;
  ListPage page_;
};

}  // namespace

Result<ListPage> list_folder_tree(const std::filesystem::path& root, std::string_view prefix,
                                  std::string_view start_after, std::size_t limit, std::string_view hidden) {
  if (limit == 0) return ListPage{};
  const std::size_t slash = prefix.rfind('/');
  const std::string folder_key(slash == std::string_view::npos ? "" : prefix.substr(0, slash + 1));
  // Keys of the folder are all smaller than start_after, unless that lies in the folder or before it.
  if (start_after > folder_key && !start_after.starts_with(folder_key)) return ListPage{};
  if (folder_key.starts_with(std::string(hidden) + "/")) return ListPage{};
  Listing listing(root, prefix, start_after, limit, hidden);
  if (Status ok = listing.visit(folder_key); !ok) return std::unexpected(ok.error());
  return listing.take_page();
}

}  // namespace palette::store
