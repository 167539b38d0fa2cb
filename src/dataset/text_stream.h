// A text file in pieces: its bytes are hashed, checked to be UTF-8, and given without a byte order mark.
//
//   for (;;) {
//     Result<std::string_view> piece = stream.next();
//     if (!piece || piece->empty()) break;
//   }
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
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

class TextStream {
 public:
  // Errors: bad_input when the file cannot be opened.
  static Result<TextStream> open(const std::filesystem::path& file);

  TextStream(TextStream&& other) noexcept;
  TextStream& operator=(TextStream&&) = delete;
  ~TextStream();

  // The next piece, valid until the next call; empty at the end. Errors: bad_input (unreadable, not UTF-8).
  Result<std::string_view> next();

  // Of all bytes, with the mark; once, after the end.
  std::string sha256_hex() { return hash_->finish_hex(); }

 private:
  explicit TextStream(int descriptor);
  // Fills the buffer behind the bytes that were held back; false at the end of the file.
  Result<bool> read_more();
  std::unexpected<Error> not_utf8(std::string_view text, std::size_t offset) const;

  int descriptor_;
  std::vector<char> buffer_;
  std::size_t held_ = 0;     // bytes at the buffer's beginning that belong to a cut code point
  std::size_t given_ = 0;    // bytes given by the last next(), before the held ones
  std::size_t skipped_ = 0;  // bytes of a mark at the beginning of the given ones
  std::size_t filled_ = 0;
  bool at_start_ = true;
  Position place_;  // of the next piece
  std::unique_ptr<Sha256> hash_;
};

// Errors: bad_input. For files that are not text.
Result<std::string> sha256_of_file(const std::filesystem::path& file);

}  // namespace palette::dataset
