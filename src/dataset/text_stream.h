// A text file in pieces: its bytes are hashed, checked to be UTF-8, and given without a byte order mark.
//
//   for (;;) {
//     Result<std::string_view> piece = stream.next();
//     if (!piece || piece->empty()) break;
//   }
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/limits.h"
#include "base/result.h"

namespace palette::dataset {

// A place in a text, 1-based; columns count bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  void pass(char c) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  void pass(std::string_view text);
};

// A bad_input error at a place; the file's name is filled in by SeedData::open.
[[nodiscard]] std::unexpected<Error> fail_at(Position place, std::string message);

// What pieces of a text go through, wherever they come from.
class TextCheck {
 public:
  // The largest piece that is taken.
  static constexpr std::size_t kPieceBytesMax = 128 * limits::kKiB;

  TextCheck();

  // The bytes that follow, and whether they are the last ones. Gives the text that is whole so far and was not given
  // before, valid until the next call; it may be empty. Errors: bad_input (not UTF-8).
  Result<std::string_view> take(std::string_view bytes, bool is_last);

  // Where, in bytes from the beginning of the whole, the last text began.
  std::uint64_t offset() const { return offset_ + skipped_; }

  // Of all bytes, with the mark; once, after the end.
  std::string sha256_hex() { return hash_->finish_hex(); }

 private:
  std::unexpected<Error> not_utf8(std::string_view text, std::size_t offset) const;

  std::vector<char> buffer_;
  std::uint64_t offset_ = 0;  // of buffer_ in the whole
  std::size_t held_ = 0;      // bytes behind the given ones that belong to a cut code point
  std::size_t given_ = 0;     // bytes of the last text, with the mark
  std::size_t skipped_ = 0;   // bytes of the mark at the beginning of the given ones
  bool at_start_ = true;
  Position place_;  // of the next text
  std::unique_ptr<Sha256> hash_;
};

class TextStream {
 public:
  // Errors: bad_input when the file cannot be opened.
  static Result<TextStream> open(const std::filesystem::path& file);

  TextStream(TextStream&& other) noexcept;
  TextStream& operator=(TextStream&&) = delete;
  ~TextStream();

  // The next piece, valid until the next call; empty at the end. Errors: bad_input (unreadable, not UTF-8).
  Result<std::string_view> next();

  // Where the last piece began, in bytes from the beginning of the file.
  std::uint64_t offset() const { return check_.offset(); }

  // Of all bytes, with the mark; once, after the end.
  std::string sha256_hex() { return check_.sha256_hex(); }

 private:
  explicit TextStream(int descriptor);

  int descriptor_;
  bool at_end_ = false;
  std::vector<char> bytes_;
  TextCheck check_;
};

// Errors: bad_input. For files that are not text.
Result<std::string> sha256_of_file(const std::filesystem::path& file);

}  // namespace palette::dataset
