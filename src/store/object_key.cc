#include "store/object_key.h"

#include <algorithm>
#include <string>

#include "base/utf8.h"

namespace palette::store {
namespace {

constexpr std::size_t kKeyBytesMax = 1024;       // S3, "Naming Amazon S3 objects"
constexpr std::size_t kComponentBytesMax = 255;  // NAME_MAX of Linux file systems

std::unexpected<Error> refused(std::string_view key, const std::string& why) {
  return fail(ErrorKind::bad_input, "the object key '" + std::string(key) + "' " + why);
}

Status check_characters(std::string_view key) {
  if (key.size() > kKeyBytesMax) {
    return refused(key.substr(0, 60), "… has " + std::to_string(key.size()) + " bytes; 1024 are allowed");
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(key, is_control)) return refused(key, "has a control character");
  if (find_invalid_utf8(key) != std::string_view::npos) return refused(key, "is not valid UTF-8");
  return {};
}

Status check_component(std::string_view key, std::string_view component) {
  if (component.empty()) return refused(key, "has an empty component (a slash at its start or end, or two in a row)");
  if (component == "." || component == "..") return refused(key, "has the component '" + std::string(component) + "'");
  if (component.size() > kComponentBytesMax) return refused(key, "has a component of more than 255 bytes");
  return {};
}

// Checks the components that a slash ends; gives what follows the last slash.
Result<std::string_view> check_folders(std::string_view key) {
  std::string_view rest = key;
  for (std::size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    if (Status ok = check_component(key, rest.substr(0, slash)); !ok) return std::unexpected(ok.error());
    rest.remove_prefix(slash + 1);
  }
  return rest;
}

}  // namespace

Status check_object_key(std::string_view key) {
  if (key.empty()) return fail(ErrorKind::bad_input, "an object key must not be empty");
  if (Status ok = check_characters(key); !ok) return ok;
  const Result<std::string_view> name = check_folders(key);
  if (!name) return std::unexpected(name.error());
  return check_component(key, *name);
}

Status check_object_prefix(std::string_view prefix) {
  if (Status ok = check_characters(prefix); !ok) return ok;
  const Result<std::string_view> name = check_folders(prefix);
  if (!name) return std::unexpected(name.error());
  return {};
}

}  // namespace palette::store
