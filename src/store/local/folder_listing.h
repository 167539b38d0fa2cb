// Keys of a folder tree in the order that S3 lists them: by the bytes of the whole key.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/object_store.h"

namespace palette::store {

// Up to `limit` files below `root` whose key (path below the root) starts with `prefix` and comes after `start_after`.
// The entry `hidden` of the root is left out; folders behind symbolic links are not followed. Only what is returned is
// stat'ed.
Result<ListPage> list_folder_tree(const std::filesystem::path& root, std::string_view prefix,
                                  std::string_view start_after, std::size_t limit, std::string_view hidden);

}  // namespace palette::store
