#include "dataset/text_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/limits.h"
#include "base/utf8.h"

namespace palette::dataset {
namespace {

constexpr std::size_t kPieceBytes = 128 * limits::kKiB;
constexpr std::size_t kCodePointBytesMax = 4;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::unexpected<Error> unreadable(int errno_value) {
  return fail(ErrorKind::bad_input, std::string("this file cannot be read: ") + std::strerror(errno_value));
}

// Up to `size` bytes; fewer only at the end of the file.
Result<std::size_t> read_fully(int descriptor, char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(descriptor, to + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace

void Position::pass(std::string_view text) {
  const auto last = text.rfind('\n');
  if (last == std::string_view::npos) {
    column += static_cast<std::uint32_t>(text.size());
    return;
  }
  line += static_cast<std::uint32_t>(std::ranges::count(text, '\n'));
  column = static_cast<std::uint32_t>(text.size() - last);
}

std::unexpected<Error> fail_at(Position place, std::string message) {
  return std::unexpected(Error{ErrorKind::bad_input, std::move(message), "", place.line, place.column});
}

Result<TextStream> TextStream::open(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return unreadable(errno);
  return TextStream(descriptor);
}

TextStream::TextStream(int descriptor)
    : descriptor_(descriptor), buffer_(kPieceBytes + kCodePointBytesMax), hash_(std::make_unique<Sha256>()) {}

TextStream::TextStream(TextStream&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)),
      held_(other.held_),
      given_(other.given_),
      skipped_(other.skipped_),
      filled_(other.filled_),
      at_start_(other.at_start_),
      place_(other.place_),
      hash_(std::move(other.hash_)) {}

TextStream::~TextStream() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<bool> TextStream::read_more() {
  std::memmove(buffer_.data(), buffer_.data() + given_, held_);
  given_ = 0;
  const auto count = read_fully(descriptor_, buffer_.data() + held_, kPieceBytes);
  if (!count) return std::unexpected(count.error());
  hash_->update({buffer_.data() + held_, *count});
  filled_ = held_ + *count;
  return *count == kPieceBytes;
}

Result<std::string_view> TextStream::next() {
  place_.pass(std::string_view(buffer_.data() + skipped_, given_ - skipped_));
  const auto more = read_more();
  if (!more) return std::unexpected(more.error());
  std::string_view text(buffer_.data(), filled_);
  skipped_ = std::exchange(at_start_, false) && text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  text.remove_prefix(skipped_);
  held_ = 0;
  given_ = filled_;
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    // A code point may have been cut by the end of the piece: it comes with the next one.
    if (!*more || text.size() - bad >= kCodePointBytesMax) return not_utf8(text, bad);
    held_ = text.size() - bad;
    given_ = skipped_ + bad;
    text = text.substr(0, bad);
  }
  return text;
}

std::unexpected<Error> TextStream::not_utf8(std::string_view text, std::size_t offset) const {
  Position place = place_;
  place.pass(text.substr(0, offset));
  return fail_at(place, fmt::format("the byte 0x{:02X} is not valid UTF-8 here; save the file as UTF-8",
                                    static_cast<unsigned char>(text[offset])));
}

Result<std::string> sha256_of_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return unreadable(errno);
  Sha256 hash;
  std::vector<char> buffer(kPieceBytes);
  Result<std::size_t> count;
  while ((count = read_fully(descriptor, buffer.data(), buffer.size())) && *count > 0) {
    hash.update({buffer.data(), *count});
  }
  ::close(descriptor);
  if (!count) return std::unexpected(count.error());
  return hash.finish_hex();
}

}  // namespace palette::dataset
