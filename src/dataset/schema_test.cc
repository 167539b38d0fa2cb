#include "dataset/schema.h"

#include <gtest/gtest.h>

namespace palette::dataset {
namespace {

ColumnType type_of(std::string_view json) { return column_type_of(parse_json(json).value()); }

// The type as text: "int64", "list<string>", "struct<a:int64,b:null>", "json!" (mixed).
std::string text(const ColumnType& type) {
  switch (type.kind) {
    case ColumnKind::null:
      return "null";
    case ColumnKind::boolean:
      return "bool";
    case ColumnKind::int64:
      return "int64";
    case ColumnKind::float64:
      return "double";
    case ColumnKind::string:
      return "string";
    case ColumnKind::timestamp_ms:
      return "timestamp";
    case ColumnKind::list:
      return "list<" + text(type.children[0]) + ">";
    case ColumnKind::structure: {
      std::string out;
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        out += (i > 0 ? "," : "") + type.field_names[i] + ":" + text(type.children[i]);
      }
      return "struct<" + out + ">";
    }
    case ColumnKind::json_text:
      return type.mixed ? "json!" : "json";
  }
  return "";
}

struct OneValue {
  const char* json;
  const char* type;
};

TEST(Schema, OneValueHasAType) {
  const OneValue cases[] = {
      {"null", "null"},
      {"true", "bool"},
      {"7", "int64"},
      {"-9223372036854775808", "int64"},
      {"9223372036854775808", "json"},
      {"1.0", "double"},
      {"\"a\"", "string"},
      {"\"2026-11-23T10:00:00.123Z\"", "timestamp"},
      {"\"2026-11-23T10:00:00Z\"", "string"},
      {"\"2026-13-23T10:00:00.123Z\"", "string"},
      {"[]", "list<null>"},
      {"[1,null,2.5]", "list<double>"},
      {"[[1],[],[2]]", "list<list<int64>>"},
      {"[1,\"a\"]", "json!"},
      {"[{}]", "json"},
      {"{}", "json"},
      {"{\"b\":1,\"a\":[\"x\"]}", "struct<b:int64,a:list<string>>"},
      {"{\"a\":{\"b\":[1,true]}}", "json!"},
      {"[{\"a\":1},{\"b\":\"x\"},null]", "list<struct<a:int64,b:string>>"},
  };
  for (const OneValue& c : cases) EXPECT_EQ(text(type_of(c.json)), c.type) << c.json;
}

struct TwoValues {
  const char* a;
  const char* b;
  const char* type;
};

TEST(Schema, TwoValuesJoinInEitherOrder) {
  const TwoValues cases[] = {
      {"null", "3", "int64"},
      {"1", "2.5", "double"},
      {"9007199254740992", "2.5", "double"},
      {"9007199254740993", "2.5", "json!"},
      {"1", "true", "json!"},
      {"1", "\"1\"", "json!"},
      {"\"2026-11-23T10:00:00.123Z\"", "\"soon\"", "string"},
      {"\"2026-11-23T10:00:00.123Z\"", "null", "timestamp"},
      {"[]", "[1]", "list<int64>"},
      {"[1]", "[\"a\"]", "json!"},
      {"[1]", "1", "json!"},
      {"{\"a\":1}", "{\"a\":2.5}", "struct<a:double>"},
      {"{\"a\":1}", "{\"a\":\"x\"}", "json!"},
      {"{\"a\":1}", "{}", "json!"},
      {"{}", "{}", "json"},
      {"{}", "null", "json"},
      {"18446744073709551615", "1", "json!"},
  };
  for (const TwoValues& c : cases) {
    ColumnType ab = type_of(c.a), ba = type_of(c.b);
    ab.merge(type_of(c.b));
    ba.merge(type_of(c.a));
    EXPECT_EQ(text(ab), c.type) << c.a << " + " << c.b;
    EXPECT_EQ(text(ba), c.type) << c.b << " + " << c.a;
  }
}

TEST(Schema, StructuresKeepTheOrderOfFirstAppearance) {
  ColumnType type = type_of(R"({"a":1})");
  type.merge(type_of(R"({"b":true,"a":null})"));
  EXPECT_EQ(text(type), "struct<a:int64,b:bool>");
}

TEST(Schema, AnIntBeyondADoubleIsRememberedAcrossRows) {
  ColumnType type = type_of("9007199254740993");
  type.merge(type_of("1"));
  type.merge(type_of("0.5"));
  EXPECT_EQ(text(type), "json!");
}

TEST(Schema, InferAddsColumnsAsKeysAppear) {
  Schema schema;
  for (const char* row : {R"({"a":1,"b":"x"})", R"({"b":null,"c":[true]})", R"({"c":[],"a":2.5})"}) {
    infer(schema, parse_json(row)->get_object());
  }
  std::string all;
  for (const Column& column : schema) all += column.name + ":" + text(column.type) + " ";
  EXPECT_EQ(all, "a:double b:string c:list<bool> ");
}

TEST(Schema, RecordsHaveFiveColumns) {
  std::string all;
  for (const Column& column : record_schema()) all += column.name + ":" + text(column.type) + " ";
  EXPECT_EQ(all, "id:string job_id:string timestamp:timestamp seed_data_keys:json generation_result:json ");
}

}  // namespace
}  // namespace palette::dataset
