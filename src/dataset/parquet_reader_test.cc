#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "dataset/seed_data.h"
#include "dataset/test_folder.h"

namespace palette::dataset {
namespace {

// Files of other programs: the types that our writer does not make.

arrow::Status write_table(const std::filesystem::path& file, const std::shared_ptr<arrow::Table>& table) {
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::io::FileOutputStream::Open(file.string()));
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  // Small row groups, so that there are several.
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 2,
                                                 parquet::default_writer_properties(), properties));
  return out->Close();
}

// All values of one column "c" as JSON rows, joined by blanks, or the error.
std::string rows_of(const std::shared_ptr<arrow::Array>& values, std::vector<std::string> names = {"c"}) {
  TestFolder folder;
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const std::string& name : names) {
    fields.push_back(arrow::field(name, values->type()));
    columns.push_back(values);
  }
  const auto file = folder / "a.parquet";
  const auto written = write_table(file, arrow::Table::Make(arrow::schema(fields), columns));
  EXPECT_TRUE(written.ok()) << written.ToString();
  const auto seeds = SeedData::open(file, folder / "spool");
  if (!seeds) return without_folder(seeds.error().text(), file);
  std::string all;
  for (std::uint64_t i = 0; i < seeds->rows(); ++i) all += (i > 0 ? " " : "") + seeds->row_text(i).value();
  return all;
}

template <class Builder, class... Values>
std::shared_ptr<arrow::Array> array_of(Builder&& builder, Values... values) {
  EXPECT_TRUE((builder.Append(values).ok() && ...));
  EXPECT_TRUE(builder.AppendNull().ok());
  return builder.Finish().ValueOrDie();
}

arrow::MemoryPool* pool() { return arrow::default_memory_pool(); }

TEST(ParquetReader, Integers) {
  EXPECT_EQ(rows_of(array_of(arrow::Int8Builder(), std::int8_t{-128}, std::int8_t{7})),
            R"({"c":-128} {"c":7} {"c":null})");
  EXPECT_EQ(rows_of(array_of(arrow::UInt16Builder(), std::uint16_t{65535})), R"({"c":65535} {"c":null})");
  EXPECT_EQ(rows_of(array_of(arrow::Int32Builder(), -5)), R"({"c":-5} {"c":null})");
  EXPECT_EQ(rows_of(array_of(arrow::UInt64Builder(), 18446744073709551615ULL)),
            R"({"c":18446744073709551615} {"c":null})");
}

TEST(ParquetReader, FloatsHaveTheirFewestDigits) {
  EXPECT_EQ(rows_of(array_of(arrow::FloatBuilder(), 0.1F, 3.0F)), R"({"c":0.1} {"c":3.0} {"c":null})");
  EXPECT_EQ(rows_of(array_of(arrow::DoubleBuilder(), 0.1, NAN)), R"({"c":0.1} {"c":null} {"c":null})");
}

TEST(ParquetReader, TextsOfEveryWidth) {
  EXPECT_EQ(rows_of(array_of(arrow::StringBuilder(), "ü\n", "")), R"({"c":"ü\n"} {"c":""} {"c":null})");
  EXPECT_EQ(rows_of(array_of(arrow::LargeStringBuilder(), "a", "b")), R"({"c":"a"} {"c":"b"} {"c":null})");
}

TEST(ParquetReader, TimesAreIsoText) {
  const auto timestamps = [](arrow::TimeUnit::type unit, const std::string& zone, std::int64_t value) {
    return rows_of(array_of(arrow::TimestampBuilder(arrow::timestamp(unit, zone), pool()), value));
  };
  EXPECT_EQ(timestamps(arrow::TimeUnit::MILLI, "UTC", 1795428000123), R"({"c":"2026-11-23T10:00:00.123Z"} {"c":null})");
  EXPECT_EQ(timestamps(arrow::TimeUnit::MICRO, "Europe/Berlin", 1795428000000001),
            R"({"c":"2026-11-23T10:00:00.000001Z"} {"c":null})");
  EXPECT_EQ(timestamps(arrow::TimeUnit::NANO, "", -1), R"({"c":"1969-12-31T23:59:59.999999999"} {"c":null})");
  EXPECT_EQ(timestamps(arrow::TimeUnit::MILLI, "", 253402300800000),
            "a.parquet: row 1, column 'c': a time outside of the years 0000 to 9999");
  EXPECT_EQ(rows_of(array_of(arrow::Time32Builder(arrow::time32(arrow::TimeUnit::MILLI), pool()), 3723004)),
            R"({"c":"01:02:03.004"} {"c":null})");
  EXPECT_EQ(rows_of(array_of(arrow::Date32Builder(), 20780, -1)),
            R"({"c":"2026-11-23"} {"c":"1969-12-31"} {"c":null})");
}

TEST(ParquetReader, DecimalsAreText) {
  arrow::Decimal128Builder builder(arrow::decimal128(20, 2));
  EXPECT_EQ(rows_of(array_of(builder, arrow::Decimal128("12345678901234.50"), arrow::Decimal128("-0.05"))),
            R"({"c":"12345678901234.50"} {"c":"-0.05"} {"c":null})");
}

TEST(ParquetReader, DictionariesAreTheirValues) {
  arrow::StringDictionary32Builder builder;
  EXPECT_EQ(rows_of(array_of(builder, "red", "blue", "red")), R"({"c":"red"} {"c":"blue"} {"c":"red"} {"c":null})");
}

TEST(ParquetReader, NestedTypes) {
  const auto numbers = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder lists(pool(), numbers);
  ASSERT_TRUE(lists.Append().ok() && numbers->Append(1).ok() && numbers->AppendNull().ok());
  ASSERT_TRUE(lists.AppendEmptyValue().ok() && lists.AppendNull().ok());
  ASSERT_TRUE(lists.Append().ok() && numbers->Append(2).ok());
  EXPECT_EQ(rows_of(lists.Finish().ValueOrDie()), R"({"c":[1,null]} {"c":[]} {"c":null} {"c":[2]})");

  const auto keys = std::make_shared<arrow::StringBuilder>();
  const auto items = std::make_shared<arrow::Int64Builder>();
  arrow::MapBuilder maps(pool(), keys, items);
  ASSERT_TRUE(maps.Append().ok() && keys->Append("a").ok() && items->Append(1).ok());
  ASSERT_TRUE(keys->Append("b \"").ok() && items->AppendNull().ok());
  ASSERT_TRUE(maps.AppendNull().ok());
  EXPECT_EQ(rows_of(maps.Finish().ValueOrDie()), R"({"c":{"a":1,"b \"":null}} {"c":null})");

  const auto codes = std::make_shared<arrow::Int32Builder>();
  const auto texts = std::make_shared<arrow::StringBuilder>();
  arrow::MapBuilder numbered(pool(), codes, texts);
  ASSERT_TRUE(numbered.Append().ok() && codes->Append(404).ok() && texts->Append("gone").ok());
  EXPECT_EQ(rows_of(numbered.Finish().ValueOrDie()), R"({"c":{"404":"gone"}})");
}

TEST(ParquetReader, SaysWhatHasNoJsonForm) {
  EXPECT_EQ(
      rows_of(array_of(arrow::BinaryBuilder(), "x")),
      "a.parquet: the column 'c' has the type binary, which has no JSON form; convert it to text or leave it out");
  EXPECT_EQ(rows_of(array_of(arrow::DurationBuilder(arrow::duration(arrow::TimeUnit::MILLI), pool()), 5)),
            "a.parquet: the column 'c' has the type duration[ms], which has no JSON form; convert it to text or leave "
            "it out");
  const auto bytes = std::make_shared<arrow::BinaryBuilder>();
  arrow::ListBuilder lists(pool(), bytes);
  ASSERT_TRUE(lists.Append().ok() && bytes->Append("x").ok());
  EXPECT_EQ(
      rows_of(lists.Finish().ValueOrDie()),
      "a.parquet: the column 'c' has the type binary, which has no JSON form; convert it to text or leave it out");
}

TEST(ParquetReader, SaysWhatIsNotUtf8) {
  EXPECT_EQ(rows_of(array_of(arrow::StringBuilder(), "good", "\xFF")),
            "a.parquet: row 2, column 'c': the text is not valid UTF-8");
}

TEST(ParquetReader, NamesMustDiffer) {
  EXPECT_EQ(rows_of(array_of(arrow::Int64Builder(), std::int64_t{1}), {"c", "d", "c"}),
            "a.parquet: the column 'c' is there twice; names must differ");
}

TEST(ParquetReader, RefusesARowOverTheLimit) {
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(rows_of(array_of(arrow::StringBuilder(), "small", large)),
            "a.parquet: row 2 is larger than 1048576 bytes, the limit of a seed row; make it smaller or split it");
}

}  // namespace
}  // namespace palette::dataset
