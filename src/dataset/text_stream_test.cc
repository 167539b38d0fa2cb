#include "dataset/text_stream.h"

#include <gtest/gtest.h>

#include "dataset/test_folder.h"

namespace palette::dataset {
namespace {

Result<std::string> read_all(TextStream& stream) {
  std::string all;
  for (;;) {
    const auto piece = stream.next();
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) return all;
    all += *piece;
  }
}

TEST(TextStream, GivesTheBytesAndTheirHash) {
  TestFolder folder;
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "añb€c😀d\n";  // about 1 MiB: code points are cut at the pieces' ends
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const std::string bytes = std::string(shift, 'x') + text;
    auto stream = TextStream::open(folder.write("a.txt", bytes));
    ASSERT_TRUE(stream);
    EXPECT_EQ(read_all(*stream).value(), bytes);
    EXPECT_EQ(stream->sha256_hex(), sha256_hex(bytes));
    EXPECT_EQ(sha256_of_file(folder / "a.txt").value(), sha256_hex(bytes));
  }
}

TEST(TextStream, DropsAByteOrderMarkButHashesIt) {
  TestFolder folder;
  for (const char* rest : {"", "abc"}) {
    const std::string bytes = std::string("\xEF\xBB\xBF") + rest;
    auto stream = TextStream::open(folder.write("a.txt", bytes));
    EXPECT_EQ(read_all(*stream).value(), rest);
    EXPECT_EQ(stream->sha256_hex(), sha256_hex(bytes));
  }
}

TEST(TextStream, SaysWhereAByteIsNotUtf8) {
  TestFolder folder;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "line\n";
  auto stream = TextStream::open(folder.write("a.txt", text + "ab\xFFzzzz"));
  EXPECT_EQ(read_all(*stream).error().text(),
            "line 100001:3: the byte 0xFF is not valid UTF-8 here; save the file as UTF-8");
  auto cut = TextStream::open(folder.write("b.txt", "\xEF\xBB\xBFgood \xE2\x82"));
  EXPECT_EQ(read_all(*cut).error().text(), "line 1:6: the byte 0xE2 is not valid UTF-8 here; save the file as UTF-8");
}

}  // namespace
}  // namespace palette::dataset
