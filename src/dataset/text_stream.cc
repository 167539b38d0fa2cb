#include "dataset/text_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/utf8.h"

namespace palette::dataset {
namespace {

constexpr std::size_t kPieceBytes = TextCheck::kPieceBytesMax;
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

TextStream::TextStream(int descriptor) : descriptor_(descriptor), bytes_(kPieceBytes) {}

TextStream::TextStream(TextStream&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      at_end_(other.at_end_),
      bytes_(std::move(other.bytes_)),
      check_(std::move(other.check_)) {}

TextStream::~TextStream() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::string_view> TextStream::next() {
  while (!at_end_) {
    const auto count = read_fully(descriptor_, bytes_.data(), bytes_.size());
    if (!count) return std::unexpected(count.error());
    at_end_ = *count < bytes_.size();
    const auto text = check_.take({bytes_.data(), *count}, at_end_);
    if (!text || !text->empty()) return text;
  }
  return std::string_view();
}

TextCheck::TextCheck() : buffer_(kPieceBytesMax + kCodePointBytesMax), hash_(std::make_unique<Sha256>()) {}

Result<std::string_view> TextCheck::take(std::string_view bytes, bool is_last) {
  place_.pass(std::string_view(buffer_.data() + skipped_, given_ - skipped_));
  std::memmove(buffer_.data(), buffer_.data() + given_, held_);
  offset_ += given_;
  std::memcpy(buffer_.data() + held_, bytes.data(), bytes.size());
  hash_->update(bytes);
  std::string_view text(buffer_.data(), held_ + bytes.size());
  skipped_ = 0;
  if (at_start_ && !is_last && text.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(text)) {
    held_ = text.size();
    given_ = 0;
    return std::string_view();
  }
  skipped_ = std::exchange(at_start_, false) && text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  held_ = 0;
  given_ = text.size();
  text.remove_prefix(skipped_);
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    // A code point may have been cut by the end of the piece: it comes with the next one.
    if (is_last || text.size() - bad >= kCodePointBytesMax) return not_utf8(text, bad);
    held_ = text.size() - bad;
    given_ = skipped_ + bad;
    text = text.substr(0, bad);
  }
  return text;
}

std::unexpected<Error> TextCheck::not_utf8(std::string_view text, std::size_t offset) const {
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
