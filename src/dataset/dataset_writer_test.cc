#include "dataset/dataset_writer.h"

#include <gtest/gtest.h>

#include "dataset/seed_data.h"
#include "dataset/test_folder.h"

namespace palette::dataset {
namespace {

Schema text_columns(std::initializer_list<const char*> names) {
  Schema schema;
  for (const char* name : names) schema.push_back({name, {.kind = ColumnKind::string}});
  return schema;
}

// The CSV text of one row of JSON values, without the header.
std::string csv_of(std::string_view json_values, ColumnKind kind = ColumnKind::null) {
  TestFolder folder;
  const Json values = parse_json(json_values).value();
  Schema schema;
  std::vector<Cell> row;
  for (const Json& value : values.get_array()) {
    schema.push_back({"c" + std::to_string(schema.size()), {.kind = kind}});
    row.emplace_back(&value);
  }
  auto writer = open_dataset_writer(job::OutputFormat::csv, folder / "a.csv", schema).value();
  EXPECT_TRUE(writer->append(row, ""));
  EXPECT_TRUE(writer->finish());
  const std::string text = folder.read("a.csv");
  return text.substr(text.find('\n') + 1);
}

TEST(DatasetWriter, JsonlWritesTheLines) {
  TestFolder folder;
  auto writer = open_dataset_writer(job::OutputFormat::jsonl, folder / "a.jsonl", text_columns({"a"})).value();
  ASSERT_TRUE(writer->append({}, R"({"a":"ü"})"));
  ASSERT_TRUE(writer->append({}, R"({"a":null})"));
  ASSERT_TRUE(writer->finish());
  EXPECT_EQ(folder.read("a.jsonl"), "{\"a\":\"ü\"}\n{\"a\":null}\n");
}

TEST(DatasetWriter, LargeLinesGoThroughWhole) {
  TestFolder folder;
  auto writer = open_dataset_writer(job::OutputFormat::jsonl, folder / "a.jsonl", text_columns({"a"})).value();
  std::string expected;
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string line(i * 20'000, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(writer->append({}, line));
    expected += line + "\n";
  }
  ASSERT_TRUE(writer->finish());
  EXPECT_EQ(folder.read("a.jsonl"), expected);
}

TEST(DatasetWriter, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(csv_of(R"(["plain","a,b","say \"hi\"","line\nbreak","return\r","é😀"," x "])"),
            "plain,\"a,b\",\"say \"\"hi\"\"\",\"line\nbreak\",\"return\r\",é😀, x \n");
}

TEST(DatasetWriter, CsvTellsNullFromAnEmptyText) { EXPECT_EQ(csv_of(R"([null,"",null,"NULL"])"), ",\"\",,NULL\n"); }

TEST(DatasetWriter, CsvOfOneColumnHasNoBlankLines) { EXPECT_EQ(csv_of("[null]"), "\"\"\n"); }

TEST(DatasetWriter, CsvPrintsValuesAsJsonDoes) {
  EXPECT_EQ(csv_of(R"([true,false,-7,18446744073709551615,1.0,0.1,[1,"a"],{"k":null},[]])"),
            "true,false,-7,18446744073709551615,1.0,0.1,\"[1,\"\"a\"\"]\",\"{\"\"k\"\":null}\",[]\n");
}

TEST(DatasetWriter, CsvWritesTextsOfAColumnOfMixedTypesAsTheyAre) {
  EXPECT_EQ(csv_of(R"(["a",1,null])", ColumnKind::json_text), "a,1,\n");
}

TEST(DatasetWriter, CsvLeavesWhatASpreadsheetTakesForAFormula) {
  EXPECT_EQ(csv_of(R"(["=1+1","+1","-1","@x"])"), "=1+1,+1,-1,@x\n");
}

TEST(DatasetWriter, CsvHasAHeaderAndReadsBack) {
  TestFolder folder;
  auto writer = open_dataset_writer(job::OutputFormat::csv, folder / "a.csv", text_columns({"id", "a, b"})).value();
  const std::string_view texts[] = {"quote \" comma , end", "\nlines\r\n\n", "\"", "ü", ""};
  for (const std::string_view text : texts) ASSERT_TRUE(writer->append(std::array<Cell, 2>{Cell{"x"}, Cell{text}}, ""));
  ASSERT_TRUE(writer->finish());
  EXPECT_TRUE(folder.read("a.csv").starts_with("id,\"a, b\"\n"));
  const auto rows = SeedData::open(folder / "a.csv", folder / "spool").value();
  ASSERT_EQ(rows.rows(), std::size(texts));
  for (std::size_t i = 0; i < std::size(texts); ++i) EXPECT_EQ(rows.row(i)->at("a, b").as_string(), texts[i]);
}

TEST(DatasetWriter, RefusesARowOfAnotherWidth) {
  TestFolder folder;
  for (const auto format : {job::OutputFormat::csv, job::OutputFormat::parquet}) {
    auto writer = open_dataset_writer(format, folder / job::extension(format), text_columns({"a", "b"})).value();
    EXPECT_EQ(writer->append(std::array<Cell, 1>{Cell{"x"}}, "").error().text(),
              "a row has 1 cells, but the dataset has 2 columns");
  }
}

TEST(DatasetWriter, RefusesAFileThatExists) {
  TestFolder folder;
  const auto file = folder.write("a", "kept");
  for (const auto format : {job::OutputFormat::jsonl, job::OutputFormat::csv, job::OutputFormat::parquet}) {
    const auto writer = open_dataset_writer(format, file, text_columns({"a"}));
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().kind, ErrorKind::already_exists);
    EXPECT_EQ(without_folder(writer.error().text(), file), "a: open: File exists");
  }
  EXPECT_EQ(folder.read("a"), "kept");
}

}  // namespace
}  // namespace palette::dataset
