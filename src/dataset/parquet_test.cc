#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <fstream>

#include "base/limits.h"
#include "dataset/dataset_writer.h"
#include "dataset/parquet_file.h"
#include "dataset/seed_data.h"
#include "dataset/test_folder.h"

namespace palette::dataset {
namespace {

// Writes the rows with the schema that they have, and reads them back; all rows, one a line.
std::string round_trip(std::initializer_list<const char*> rows) {
  TestFolder folder;
  Schema schema;
  std::vector<JsonObject> objects;
  for (const char* row : rows) {
    objects.push_back(parse_json(row)->get_object());
    infer(schema, objects.back());
  }
  auto writer = open_dataset_writer(job::OutputFormat::parquet, folder / "a.parquet", schema).value();
  for (const JsonObject& object : objects) {
    std::vector<Cell> cells;
    for (const Column& column : schema) {
      const Json* value = object.if_contains(column.name);
      cells.push_back(value == nullptr ? Cell{} : Cell{value});
    }
    const Status added = writer->append(cells, "");
    EXPECT_TRUE(added) << added.error().text();
  }
  EXPECT_TRUE(writer->finish());
  const auto seeds = SeedData::open(folder / "a.parquet", folder / "spool");
  if (!seeds) return seeds.error().text();
  std::string all;
  for (std::uint64_t i = 0; i < seeds->rows(); ++i) all += seeds->row_text(i).value() + "\n";
  return all;
}

TEST(Parquet, EveryKindOfColumnReadsBack) {
  EXPECT_EQ(
      round_trip({R"({"b":true,"i":-9223372036854775808,"d":0.1,"s":"ü\n\"","t":"2026-11-23T10:00:00.123Z","e":""})",
                  R"({"b":null,"i":null,"d":null,"s":null,"t":null,"e":null})",
                  R"({"b":false,"i":7,"d":2,"s":"","t":"1969-12-31T23:59:59.999Z","e":"x"})"}),
      "{\"b\":true,\"i\":-9223372036854775808,\"d\":0.1,\"s\":\"ü\\n\\\"\",\"t\":\"2026-11-23T10:00:00.123Z\",\"e\":"
      "\"\"}\n"
      "{\"b\":null,\"i\":null,\"d\":null,\"s\":null,\"t\":null,\"e\":null}\n"
      "{\"b\":false,\"i\":7,\"d\":2.0,\"s\":\"\",\"t\":\"1969-12-31T23:59:59.999Z\",\"e\":\"x\"}\n");
}

TEST(Parquet, NestedValuesReadBack) {
  EXPECT_EQ(round_trip({R"({"l":[1,null,3],"o":{"a":"x","b":[{"c":1.5}]},"n":[[],["y"],null]})",
                        R"({"l":[],"o":null,"n":[]})", R"({"l":null,"o":{"b":[],"z":true}})"}),
            "{\"l\":[1,null,3],\"o\":{\"a\":\"x\",\"b\":[{\"c\":1.5}],\"z\":null},\"n\":[[],[\"y\"],null]}\n"
            "{\"l\":[],\"o\":null,\"n\":[]}\n"
            "{\"l\":null,\"o\":{\"a\":null,\"b\":[],\"z\":true},\"n\":null}\n");
}

TEST(Parquet, MixedTypesAreJsonText) {
  EXPECT_EQ(round_trip({R"({"m":1,"e":{},"u":18446744073709551615,"z":null})", R"({"m":"a","e":{},"u":null,"z":null})",
                        R"({"m":null,"e":null,"u":null,"z":null})"}),
            "{\"m\":\"1\",\"e\":\"{}\",\"u\":\"18446744073709551615\",\"z\":null}\n"
            "{\"m\":\"\\\"a\\\"\",\"e\":\"{}\",\"u\":null,\"z\":null}\n"
            "{\"m\":null,\"e\":null,\"u\":null,\"z\":null}\n");
}

TEST(Parquet, TextCellsReadBack) {
  TestFolder folder;
  auto writer = open_dataset_writer(job::OutputFormat::parquet, folder / "a.parquet", record_schema()).value();
  const std::array<Cell, 5> row = {Cell{"j-0"}, Cell{"j"}, Cell{"2026-11-23T10:00:00.123Z"}, Cell{"7"},
                                   Cell{R"({"a":"b"})"}};
  ASSERT_TRUE(writer->append(row, ""));
  ASSERT_TRUE(writer->finish());
  EXPECT_EQ(SeedData::open(folder / "a.parquet", folder / "spool")->row_text(0).value(),
            R"({"id":"j-0","job_id":"j","timestamp":"2026-11-23T10:00:00.123Z","seed_data_keys":"7",)"
            R"("generation_result":"{\"a\":\"b\"}"})");
}

struct Misfit {
  ColumnType type;
  const char* value;
  const char* message;
};

TEST(Parquet, RefusesAValueOfAnotherType) {
  const Misfit cases[] = {
      {{.kind = ColumnKind::int64}, "\"x\"", "column 'c': a string does not fit its type int64"},
      {{.kind = ColumnKind::int64}, "18446744073709551615", "column 'c': an integer does not fit its type int64"},
      {{.kind = ColumnKind::boolean}, "1", "column 'c': an integer does not fit its type bool"},
      {{.kind = ColumnKind::float64}, "true", "column 'c': a boolean does not fit its type double"},
      {{.kind = ColumnKind::string}, "[]", "column 'c': a list does not fit its type string"},
      {{.kind = ColumnKind::null}, "1", "column 'c': an integer does not fit its type null"},
      {{.kind = ColumnKind::timestamp_ms}, "\"now\"", "column 'c': 'now' does not fit its type timestamp"},
      {{.kind = ColumnKind::list, .children = {{.kind = ColumnKind::int64}}},
       "[1,{}]",
       "column 'c': an object does not fit its type int64"},
      {{.kind = ColumnKind::structure, .field_names = {"a"}, .children = {{.kind = ColumnKind::int64}}},
       "{\"b\":1}",
       "column 'c': an object with further keys does not fit its type struct"},
  };
  for (const Misfit& c : cases) {
    TestFolder folder;
    auto writer = open_dataset_writer(job::OutputFormat::parquet, folder / "a.parquet", {{"c", c.type}}).value();
    const Json value = parse_json(c.value).value();
    const Status added = writer->append(std::array<Cell, 1>{Cell{&value}}, "");
    ASSERT_FALSE(added) << c.message;
    EXPECT_EQ(added.error().text(), c.message);
    EXPECT_EQ(added.error().kind, ErrorKind::internal);
    EXPECT_EQ(writer->finish().error().text(), "a row was refused before; the Parquet file cannot be finished");
  }
}

TEST(Parquet, AWriterMayBeGivenUp) {
  TestFolder folder;
  auto writer =
      open_dataset_writer(job::OutputFormat::parquet, folder / "a.parquet", {{"a", {.kind = ColumnKind::string}}})
          .value();
  const std::string text(3 * limits::kMiB, 'x');
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(writer->append(std::array<Cell, 1>{Cell{std::string_view(text)}}, ""));
  writer.reset();
  SUCCEED();
}

TEST(Parquet, FewValuesMakeADictionary) {
  TestFolder folder;
  const auto file = folder / "a.parquet";
  const Schema schema = {{"few", {.kind = ColumnKind::string}}, {"many", {.kind = ColumnKind::string}}};
  auto writer = open_dataset_writer(job::OutputFormat::parquet, file, schema).value();
  for (int i = 0; i < 1'000; ++i) {
    const std::string many = std::to_string(i);
    ASSERT_TRUE(
        writer->append(std::array<Cell, 2>{Cell{i % 2 == 0 ? "even" : "odd"}, Cell{std::string_view(many)}}, ""));
  }
  ASSERT_TRUE(writer->finish());
  const auto metadata = parquet::ParquetFileReader::OpenFile(file.string())->metadata();
  const auto group = metadata->RowGroup(0);
  EXPECT_TRUE(group->ColumnChunk(0)->has_dictionary_page());
  EXPECT_FALSE(group->ColumnChunk(1)->has_dictionary_page());
}

TEST(Parquet, NoRowsMakeAFileWithItsColumns) {
  TestFolder folder;
  auto writer = open_dataset_writer(job::OutputFormat::parquet, folder / "a.parquet", record_schema()).value();
  ASSERT_TRUE(writer->finish());
  const auto file = folder / "a.parquet";
  EXPECT_EQ(parquet::ParquetFileReader::OpenFile(file.string())->metadata()->num_columns(), 5);
  EXPECT_EQ(without_folder(SeedData::open(file, folder / "spool").error().text(), file),
            "a.parquet: this file has no rows; it must hold at least one");
}

// AddressSanitizer keeps freed memory for a while.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr long kGrowthKibMax = 1024 * 1024;
#else
constexpr long kGrowthKibMax = 24 * 1024;
#endif

long resident_kib() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4;
}

std::string text_of_row(std::uint64_t i) {
  std::string text = "{\"output\":\"";
  for (std::uint64_t k = 0; k < 60; ++k) text += std::to_string((i + 1) * 2654435761 * (k + 1) % 1'000'000'007) + " ";
  return text + "\"}";
}

TEST(Parquet, MemoryDoesNotDependOnTheNumberOfRows) {
  TestFolder folder;
  constexpr std::uint64_t kRows = 200'000;  // about 120 MB
  const auto file = folder / "a.parquet";
  auto writer = open_dataset_writer(job::OutputFormat::parquet, file, record_schema()).value();
  long before_kib = 0, most_kib = 0;
  for (std::uint64_t i = 0; i < kRows; ++i) {
    const std::string id = "job-" + std::to_string(i), text = text_of_row(i);
    const std::array<Cell, 5> row = {Cell{std::string_view(id)}, Cell{"job"}, Cell{"2026-11-23T10:00:00.123Z"},
                                     Cell{"1"}, Cell{std::string_view(text)}};
    ASSERT_TRUE(writer->append(row, ""));
    if (i == kRows / 4) before_kib = resident_kib();
    if (i > kRows / 4 && i % 500 == 0) most_kib = std::max(most_kib, resident_kib());
  }
  ASSERT_TRUE(writer->finish());
  EXPECT_LT(most_kib - before_kib, kGrowthKibMax);
  const auto metadata = parquet::ParquetFileReader::OpenFile(file.string())->metadata();
  EXPECT_EQ(metadata->num_rows(), kRows);
  for (int i = 0; i + 1 < metadata->num_row_groups(); ++i) {
    const auto group = metadata->RowGroup(i);
    EXPECT_GT(group->total_byte_size(), 12 * limits::kMiB);
    EXPECT_LT(group->total_byte_size(), 20 * limits::kMiB);
    EXPECT_EQ(group->ColumnChunk(4)->compression(), parquet::Compression::ZSTD);
  }
  const auto rows = SeedData::open(file, folder / "spool").value();
  for (std::uint64_t i = 0; i < kRows; i += 997) {
    ASSERT_EQ(rows.row(i)->at("generation_result").as_string(), text_of_row(i));
    ASSERT_EQ(rows.row(i)->at("id").as_string(), "job-" + std::to_string(i));
  }
}

TEST(Parquet, TheModuleIsFoundAboveTheProgram) {
  TestFolder folder;
  std::filesystem::create_directories(folder / "bin/a/b/c");
  std::filesystem::create_directories(folder / "lib");
  const auto module = folder.write("lib/libpalette_parquet.so", "");
  EXPECT_EQ(find_parquet_module(folder / "program").value(), module);
  EXPECT_EQ(find_parquet_module(folder / "bin/a/b/c/program").value(), module);
  std::filesystem::create_directories(folder / "bin/a/b/c/d");
  EXPECT_FALSE(find_parquet_module(folder / "bin/a/b/c/d/program"));
}

TEST(Parquet, SaysThatTheModuleIsMissing) {
  EXPECT_EQ(find_parquet_module("/no/such/folder/program").error().text(),
            "/no/such/folder/program: Parquet needs lib/libpalette_parquet.so in the folder of the program or above "
            "it; it was "
            "not found: copy the whole folder of the program, or build it again");
}

}  // namespace
}  // namespace palette::dataset
