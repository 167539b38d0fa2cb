#include "dataset/seed_data.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/limits.h"
#include "dataset/test_folder.h"

namespace palette::dataset {
namespace {

// All rows joined by blanks, or the error with the file's name alone.
std::string read(const TestFolder& folder, std::string_view name, std::string_view bytes) {
  const auto file = folder.write(name, bytes);
  const auto seeds = SeedData::open(file, folder / "spool");
  if (!seeds) {
    EXPECT_EQ(seeds.error().kind, ErrorKind::bad_input) << name;
    return without_folder(seeds.error().text(), file);
  }
  std::string all;
  for (std::uint64_t i = 0; i < seeds->rows(); ++i) all += (i > 0 ? " " : "") + seeds->row_text(i).value();
  return all;
}

struct Case {
  const char* name;
  std::string_view bytes;
  std::string_view expected;
};

TEST(SeedData, ReadsRows) {
  const Case cases[] = {
      {"a.json", "{\"a\": 1}", R"({"a":1})"},
      {"a.json", " \n[ {\"a\": [1, {\"b\": \"x]},{\"}]}\n,{} ]\n ", R"({"a":[1,{"b":"x]},{"}]} {})"},
      {"a.json", "[{\"a\":\"q\\\"]\\\\\"},{\"b\":\"\\u00e9\\n\"}]", R"({"a":"q\"]\\"} {"b":"é\n"})"},
      {"a.JSON", "\xEF\xBB\xBF[{\"n\":1.0,\"big\":18446744073709551615,\"z\":null}]",
       R"({"n":1.0,"big":18446744073709551615,"z":null})"},
      {"a.jsonl", "{\"a\": 1}\n\n  \t\r\n{\"a\": 2}\r\n{\"a\":3}", R"({"a":1} {"a":2} {"a":3})"},
      {"a.ndjson", "\xEF\xBB\xBF{\"a\":\"ü\"}\n", R"({"a":"ü"})"},
      {"a.csv", "a,b\n1,x\n2,\n", R"({"a":"1","b":"x"} {"a":"2","b":""})"},
      {"a.csv", "\xEF\xBB\xBF\"a\",b\r\n\"1\",\"\"\r\n", R"({"a":"1","b":""})"},
      {"a.csv", "a,b\n\"line 1\nline 2\r\n\",\"say \"\"hi\"\", then\"\n",
       R"({"a":"line 1\nline 2\r\n","b":"say \"hi\", then"})"},
      {"a.csv", "a,b\n5\" pipe, 'x'\n", R"({"a":"5\" pipe","b":" 'x'"})"},
      {"a.csv", "a\n\n\"\"\n\r\n1", R"({"a":""} {"a":"1"})"},
      {"a.csv", "a,b\n\"1\",\"2\"", R"({"a":"1","b":"2"})"},
      {"a.csv", "a,b\n1,2\r", R"({"a":"1","b":"2"})"},
      {"a.csv", "a\n1\r2\n\r", R"({"a":"1\r2"})"},
      {"a.csv", "a,b\n,\n", R"({"a":"","b":""})"},
  };
  for (const Case& c : cases) {
    TestFolder folder;
    EXPECT_EQ(read(folder, c.name, c.bytes), c.expected) << c.name << ": " << c.bytes;
  }
}

TEST(SeedData, SaysWhatIsWrongAndWhere) {
  const Case cases[] = {
      {"a.txt", "x",
       "a.txt: the extension '.txt' does not tell a format of seed data; name the file .json, .jsonl, .ndjson, .csv or "
       ".parquet"},
      {"a", "x",
       "a: the file has no extension, which would tell its format; name the file .json, .jsonl, .ndjson, .csv or "
       ".parquet"},
      // JSON
      {"a.json", "", "a.json: this file is empty; it must hold an object or an array of objects"},
      {"a.json", " \n\t", "a.json: this file is empty; it must hold an object or an array of objects"},
      {"a.json", " [ ] ", "a.json: this file has no rows: the array is empty; add at least one object"},
      {"a.json", "\n  7", "a.json:2:3: expected an object or an array of objects, found '7'"},
      {"a.json", "[{},\n 7]", "a.json:2:2: row 2 is an integer; a row must be an object"},
      {"a.json", "[\"x\"]", "a.json:1:2: row 1 is a string; a row must be an object"},
      {"a.json", "[{\"a\":1},\n]", "a.json:2:1: found ']' after a comma; remove the comma"},
      {"a.json", "[,{}]", "a.json:1:2: expected an object, found ','"},
      {"a.json", "[{\"a\":1}\n", "a.json:2:1: the array that opens the file is not closed; expected ',' or ']'"},
      {"a.json", "[{\"a\":1},", "a.json:1:10: the array that opens the file is not closed; expected an object or ']'"},
      {"a.json", "[", "a.json:1:2: the array that opens the file is not closed; expected an object or ']'"},
      {"a.json", "[{\"a\":1},\n {\"b\":tru}]",
       "a.json:2:7: this is not valid JSON: found 't' after ':', which cannot stand there"},
      {"a.json", "[{\"a\":1,\n \"b\" 2}]",
       "a.json:2:6: this is not valid JSON: found '2' after '\"', which cannot stand there"},
      {"a.json", "[{\"a\":1} {\"b\":2}]", "a.json:1:10: expected ',' or ']' after a row, found '{'"},
      {"a.json", "{\"a\":1",
       "a.json:1:7: this is not valid JSON: it ends too early; a bracket or a quote is not closed"},
      {"a.json", "{\"a\":1}\n{\"a\":2}",
       "a.json:2:1: the file goes on after its JSON value; rows belong into one array, or, one object a line, into a "
       "file "
       "named .jsonl"},
      {"a.json", "[{\"a\":\"\xC3(\"}]", "a.json:1:8: the byte 0xC3 is not valid UTF-8 here; save the file as UTF-8"},
      // JSONL
      {"a.jsonl", "", "a.jsonl: this file is empty; it must hold one JSON object a line"},
      {"a.jsonl", "\n \n", "a.jsonl: this file has no rows: every line is blank; add one JSON object a line"},
      {"a.jsonl", "{\"a\":1}\n\n{\"a\":}\n",
       "a.jsonl:3:6: this is not valid JSON: found '}' after ':', which cannot stand there; in JSONL each line is one "
       "whole JSON object"},
      {"a.jsonl", "{\n\"a\":1}\n",
       "a.jsonl:1:2: this is not valid JSON: it ends too early; a bracket or a quote is not closed; in JSONL each line "
       "is one whole JSON object"},
      {"a.jsonl", "{}\n[1]\n", "a.jsonl:2:1: row 2 is a list; a row must be an object"},
      {"a.jsonl", "{}\nnull\n", "a.jsonl:2:1: row 2 is null; a row must be an object"},
      {"a.jsonl", "{}\n{\"a\":\"\xFF\"}", "a.jsonl:2:7: the byte 0xFF is not valid UTF-8 here; save the file as UTF-8"},
      // CSV
      {"a.csv", "", "a.csv: this file is empty; it must hold a header and at least one row"},
      {"a.csv", "\r\n\n", "a.csv: this file is empty; it must hold a header and at least one row"},
      {"a.csv", "a,b\n", "a.csv: this file has no rows: there is only a header; add at least one row below it"},
      {"a.csv", "a,,c\n1,2,3\n", "a.csv:1:1: column 2 of the header has no name; give it one"},
      {"a.csv", "a,b,a\n1,2,3\n", "a.csv:1:1: the header has 'a' twice, in columns 1 and 3; names must differ"},
      {"a.csv", "a,b\n1,2\n\n1,2,3\n",
       "a.csv:4:1: this record has 3 fields, but the header has 2; a field with a comma or a line break needs quotes"},
      {"a.csv", "a,b\n\"x\ny\",2\n1\n",
       "a.csv:4:1: this record has 1 field, but the header has 2; a field with a comma or a line break needs quotes"},
      {"a.csv", "a,b\n1,\"x\n2,y\n",
       "a.csv:2:3: the quote that opens here is not closed; a quote inside a quoted field is written twice"},
      {"a.csv", "a,b\n\"x\"y,2\n",
       "a.csv:2:4: expected ',' or the end of the line after a quoted field; a quote inside it is written twice"},
      {"a.csv", "a\n\"x\"\ry\n",
       "a.csv:2:5: expected a line feed after the carriage return that follows a quoted field"},
      {"a.csv", "a\n\xE4rger\n", "a.csv:2:1: the byte 0xE4 is not valid UTF-8 here; save the file as UTF-8"},
      // Parquet
      {"a.parquet", "", "a.parquet: this file is empty; it must be a Parquet file of at least one row"},
      {"a.parquet", "not parquet, but long enough",
       "a.parquet: this file cannot be read as Parquet: Parquet magic bytes not found in footer. Either the file is "
       "corrupted or this is not a parquet file."},
  };
  for (const Case& c : cases) {
    TestFolder folder;
    EXPECT_EQ(read(folder, c.name, c.bytes), c.expected) << c.name << ": " << c.bytes;
  }
}

TEST(SeedData, SaysThatAFileCannotBeRead) {
  TestFolder folder;
  std::filesystem::create_directory(folder / "dir.json");
  for (const char* extension : {"json", "jsonl", "csv", "parquet"}) {
    const auto file = folder / (std::string("none.") + extension);
    EXPECT_EQ(without_folder(SeedData::open(file, folder / "spool").error().text(), file),
              file.filename().string() + ": this file cannot be read: No such file or directory");
  }
  const auto directory = folder / "dir.json";
  EXPECT_EQ(without_folder(SeedData::open(directory, folder / "spool").error().text(), directory),
            "dir.json: this file cannot be read: Is a directory");
}

TEST(SeedData, RefusesARowOverTheLimit) {
  const std::string large(limits::kSeedRowBytesMax, 'x');
  const std::string expected =
      "row 2 is larger than 1048576 bytes, the limit of a seed row; make it smaller or split it";
  TestFolder folder;
  EXPECT_EQ(read(folder, "a.json", "[{},\n{\"a\":\"" + large + "\"}]"), "a.json:2:1: " + expected);
  EXPECT_EQ(read(folder, "a.jsonl", "{}\n{\"a\":\"" + large + "\"}\n"), "a.jsonl:2:1: " + expected);
  EXPECT_EQ(read(folder, "a.csv", "a\n1\n" + large + "y\n"), "a.csv:3:1: " + expected);
  // Each quote becomes two bytes of JSON.
  EXPECT_EQ(read(folder, "b.csv", "a\n1\nx" + std::string(600'000, '"') + "\n"), "b.csv:3:1: " + expected);
  EXPECT_EQ(read(folder, "c.csv", "a\n1\n\"" + large + "\n2\n"),
            "c.csv:3:1: the quote that opens here is not closed within 1048576 bytes, the limit of a seed row; a quote "
            "inside "
            "a quoted field is written twice");
}

TEST(SeedData, ABracketThatIsMissingIsASyntaxErrorNotALargeRow) {
  TestFolder folder;
  std::string text = "[{\"a\":[1,2}\n";
  for (int i = 0; i < 100'000; ++i) text += ",{\"a\":[1]}\n";
  EXPECT_EQ(read(folder, "a.json", text + "]"),
            "a.json:1:11: this is not valid JSON: found '}', which cannot stand there");
}

TEST(SeedData, RefusesANumberThatADoubleCannotHold) {
  TestFolder folder;
  EXPECT_EQ(read(folder, "a.json", "{\"a\":1e400}"), "a.json:1:11: this is not valid JSON: exponent overflow");
  EXPECT_EQ(read(folder, "a.json", "{\"a\":1" + std::string(400, '0') + "}"),
            "a.json:1:407: this is not valid JSON: exponent overflow");
}

TEST(SeedData, TellsTheHashOfTheBytes) {
  TestFolder folder;
  const std::string bytes = "\xEF\xBB\xBF{\"a\": 1}\n\n";
  EXPECT_EQ(SeedData::open(folder.write("a.jsonl", bytes), folder / "spool")->sha256(), sha256_hex(bytes));
}

TEST(SeedData, ParsesARow) {
  TestFolder folder;
  const auto seeds = SeedData::open(folder.write("a.json", R"([{"a":1},{"b":{"c":[null]}}])"), folder / "spool");
  EXPECT_EQ(to_json_text(Json(seeds->row(1).value())), R"({"b":{"c":[null]}})");
}

TEST(SeedData, ManyRowsAreSpooled) {
  TestFolder folder;
  std::string text = "[";
  const std::string filler(1'000, 'f');
  constexpr int kRows = 30'000;  // about 30 MB
  for (int i = 0; i < kRows; ++i)
    text += (i > 0 ? "," : "") + ("{\"n\":" + std::to_string(i)) + ",\"f\":\"" + filler + "\"}";
  const auto seeds = SeedData::open(folder.write("a.json", text + "]"), folder / "spool");
  ASSERT_TRUE(seeds) << seeds.error().text();
  ASSERT_EQ(seeds->rows(), kRows);
  EXPECT_TRUE(std::filesystem::exists(folder / "spool"));
  for (const int i : {0, 1, 15'000, kRows - 1}) {
    EXPECT_EQ(seeds->row(static_cast<std::uint64_t>(i))->at("n").as_int64(), i);
  }
}

TEST(SeedData, SamplesTheTextsOfTheFirstRows) {
  TestFolder folder;
  const auto seeds = SeedData::open(
      folder.write("a.jsonl",
                   "{\"a\":\"one two\",\"n\":5,\"b\":[\"three\",{\"c\":\"four\"}]}\n{\"n\":6}\n{\"a\":\"fünf\"}\n"),
      folder / "spool");
  EXPECT_EQ(seeds->text_sample(1'000).value(), "one two three four\nfünf");
  EXPECT_EQ(seeds->text_sample(18).value(), "one two three four");
  EXPECT_EQ(seeds->text_sample(17).value(), "one two three");
  EXPECT_EQ(seeds->text_sample(21).value(), "one two three four");
  EXPECT_EQ(seeds->text_sample(0).value(), "");
}

}  // namespace
}  // namespace palette::dataset
