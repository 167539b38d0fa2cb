#include "job/document.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/limits.h"

namespace palette::job {
namespace {

Node yaml(std::string_view text) {
  Result<Node> node = parse_yaml_node(text);
  EXPECT_TRUE(node) << node.error().text();
  return node ? *node : Node{};
}

Node json(std::string_view text) {
  Result<Node> node = parse_json_node(text);
  EXPECT_TRUE(node) << node.error().text();
  return node ? *node : Node{};
}

std::string at(Mark mark) { return std::to_string(mark.line) + ":" + std::to_string(mark.column); }

TEST(Document, YamlScalarsFollowTheCoreSchema) {
  const struct {
    const char* text;
    Node::Kind kind;
  } cases[] = {
      {"", Node::Kind::null},
      {"~", Node::Kind::null},
      {"null", Node::Kind::null},
      {"true", Node::Kind::boolean},
      {"False", Node::Kind::boolean},
      {"yes", Node::Kind::string},
      {"no", Node::Kind::string},
      {"12", Node::Kind::integer},
      {"-12", Node::Kind::integer},
      {"+12", Node::Kind::integer},
      {"0x1F", Node::Kind::integer},
      {"0o17", Node::Kind::integer},
      {"1.5", Node::Kind::number},
      {".5", Node::Kind::number},
      {"1e3", Node::Kind::number},
      {"1.2.3", Node::Kind::string},
      {"2026-11-23", Node::Kind::string},
      {"'12'", Node::Kind::string},
      {"\"true\"", Node::Kind::string},
      {"inf", Node::Kind::string},
      {"nan", Node::Kind::string},
      {"+-12", Node::Kind::string},
      {"0x-1", Node::Kind::string},
      {"0x", Node::Kind::string},
      {"--1", Node::Kind::string},
      {"12abc", Node::Kind::string},
      {"99999999999999999999", Node::Kind::number},
      {"!!str 12", Node::Kind::string},
  };
  for (const auto& c : cases) {
    const Node node = yaml("k: " + std::string(c.text) + "\n");
    ASSERT_NE(node.find("k"), nullptr) << c.text;
    EXPECT_EQ(node.find("k")->kind, c.kind) << c.text;
  }
  EXPECT_EQ(yaml("k: 0x1F").find("k")->integer, 31);
  EXPECT_EQ(yaml("k: 0o17").find("k")->integer, 15);
  EXPECT_EQ(yaml("k: -.5").find("k")->number, -0.5);
}

TEST(Document, NodesKnowWhereTheyStand) {
  const Node root = yaml("name: x\nsteps:\n  - id: a\n    prompt: \"hé {{ y }}\"\n  - {id: b}\n");
  EXPECT_EQ(at(root.mark), "1:1");
  EXPECT_EQ(at(root.members[1].mark), "2:1");
  const Node& steps = *root.find("steps");
  EXPECT_EQ(at(steps.items[0].mark), "3:5");
  EXPECT_EQ(at(steps.items[0].find("prompt")->mark), "4:13");
  EXPECT_EQ(at(steps.items[1].find("id")->mark), "5:10");
  // A quoted text: its first line maps, behind the quote.
  EXPECT_EQ(at(steps.items[0].find("prompt")->position_of(1, 5)), "4:18");
}

TEST(Document, PositionsInsideALiteralBlockAreThoseOfTheFile) {
  const Node root = yaml("a: 1\nprompt: |\n    first\n\n      {{ second }}\n    third\nb: 2\n");
  const Node& prompt = *root.find("prompt");
  EXPECT_EQ(prompt.text, "first\n\n  {{ second }}\nthird\n");
  EXPECT_EQ(at(prompt.position_of(1, 1)), "3:5");
  EXPECT_EQ(at(prompt.position_of(3, 6)), "5:10");
  EXPECT_EQ(at(prompt.position_of(4, 5)), "6:9");
}

TEST(Document, PositionsInsideABlockThatStartsWithBlankLines) {
  const Node root = yaml("prompt: |-\n\n\n  text\n");
  EXPECT_EQ(root.find("prompt")->text, "\n\ntext");
  EXPECT_EQ(at(root.find("prompt")->position_of(3, 2)), "4:4");
}

TEST(Document, PositionsInsideAFoldedBlockAreItsStart) {
  const Node root = yaml("prompt: >\n  one\n  two {{ x\n");
  EXPECT_EQ(root.find("prompt")->text, "one two {{ x\n");
  EXPECT_EQ(at(root.find("prompt")->position_of(1, 9)), "1:9");
}

// Each text has one X; wherever the text says it stands, the file has it too.
TEST(Document, PositionsInsideATextSurviveEscapesAndLineBreaks) {
  const char* files[] = {
      R"(p: "a\nb {{ X")",
      R"(p: "say \"hi\" \u00e9\x41\U0001F600\L X")",
      "p: \"a\\\n   bX\"",
      "p: \"a  \n\n   \n  b\n  cX\"",
      "p: 'it''s X'",
      "p: 'it''s\n\n  here X'",
      "p: a text\n  that goes on X",
      "p: &anchor \"a\\tX\"",
      "p: !!str 'a X'",
      "p: |2\n     a\n   X",
      "p: [a, \"\\\"X\"]",
  };
  for (const std::string file : files) {
    const Node root = yaml(file);
    const Node* node = root.find("p");
    if (node->kind == Node::Kind::list) node = &node->items[1];
    const std::size_t in_text = node->text.find('X'), in_file = file.find('X');
    ASSERT_NE(in_text, std::string::npos) << file;
    const auto place = [](const std::string& text, std::size_t offset) {
      const std::string before = text.substr(0, offset);
      return Mark{static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n')),
                  static_cast<std::uint32_t>(offset - (before.rfind('\n') + 1) + 1)};
    };
    const Mark inside = place(node->text, in_text);
    EXPECT_EQ(at(node->position_of(inside.line, inside.column)), at(place(file, in_file))) << file;
  }
  const Node root = json("{\"p\":\n \"\\\"\\ud83d\\ude00\\n\\u00e9 X\"}");
  EXPECT_EQ(at(root.find("p")->position_of(2, 4)), "2:26");
}

TEST(Document, CarriageReturnsDoNotShiftPositions) {
  const Node root = yaml("a: 1\r\nprompt: |\r\n  one\r\n  two\r\nb: x\r\n");
  EXPECT_EQ(root.find("prompt")->text, "one\ntwo\n");
  EXPECT_EQ(at(root.find("prompt")->position_of(2, 1)), "4:3");
  EXPECT_EQ(root.find("b")->text, "x");
}

TEST(Document, DuplicateKeysAreKeptInOrder) {
  for (const Node& root : {yaml("b: 1\na: 2\nb: 3\n"), json(R"({"b": 1, "a": 2, "b": 3})")}) {
    ASSERT_EQ(root.members.size(), 3u);
    EXPECT_EQ(root.members[0].key + root.members[1].key + root.members[2].key, "bab");
    EXPECT_EQ(root.find("b")->integer, 1);
    EXPECT_EQ(root.members[2].value.integer, 3);
  }
}

TEST(Document, JsonNodesKnowWhereTheyStand) {
  const Node root = json(
      "{\n  \"a\": [1, -2.5, \"x\\\"y\", null,\n    true],\n  \"q\\u00e9\": {}, \"big\": 18446744073709551615\n}\n");
  const Node& list = *root.find("a");
  EXPECT_EQ(at(root.members[0].mark), "2:3");
  EXPECT_EQ(at(list.mark), "2:8");
  EXPECT_EQ(at(list.items[2].mark), "2:18");
  EXPECT_EQ(list.items[2].text, "x\"y");
  EXPECT_EQ(at(list.items[4].mark), "3:5");
  EXPECT_EQ(list.items[0].kind, Node::Kind::integer);
  EXPECT_EQ(list.items[1].number, -2.5);
  EXPECT_EQ(list.items[3].kind, Node::Kind::null);
  EXPECT_TRUE(list.items[4].boolean);
  EXPECT_EQ(root.members[1].key, "qé");
  EXPECT_EQ(root.find("big")->kind, Node::Kind::number);
  EXPECT_EQ(at(list.items[2].position_of(1, 1)), "2:19");
}

TEST(Document, BothLanguagesMakeTheSameTree) {
  const char* text = R"({"name": "x", "n": 3, "list": [1.5, true, null, {"k": "v"}], "empty": {}})";
  EXPECT_EQ(yaml(text).to_json(), json(text).to_json());
  EXPECT_EQ(to_json_text(json(text).to_json()), R"({"name":"x","n":3,"list":[1.5,true,null,{"k":"v"}],"empty":{}})");
}

TEST(Document, DescribesForMessages) {
  EXPECT_EQ(yaml("a: [1]").find("a")->describe(), "a list");
  EXPECT_EQ(yaml("a: {}").find("a")->describe(), "an object");
  EXPECT_EQ(yaml("a:").find("a")->describe(), "nothing");
  EXPECT_EQ(yaml("a: 0x10").find("a")->describe(), "0x10");
  EXPECT_EQ(yaml("a: \"x\\ny\"").find("a")->describe(), R"("x\ny")");
  EXPECT_EQ(yaml("a: " + std::string(100, 'x')).find("a")->describe(), "\"" + std::string(57, 'x') + "...\"");
}

std::string error_of(std::string file, std::string_view text) {
  const Result<Document> document = parse_document(std::move(file), text);
  return document ? "no error" : document.error().text();
}

TEST(Document, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(error_of("j.yaml", "a: 1\nb: [1, 2\n"),
            "j.yaml:3:1: this is not valid YAML: the list that opens with [ is not closed; expected , or ]");
  EXPECT_EQ(error_of("j.yaml", "a: {{ x }}\n").substr(0, 11), "j.yaml:1:5:");
  EXPECT_EQ(error_of("j.json", "{\"a\": 1,\n}"),
            "j.json:2:1: this is not valid JSON: found '}' after a comma; remove the comma");
  EXPECT_EQ(error_of("j.yaml", "a: 1\nb: caf\xe9\n"),
            "j.yaml:2:7: this byte is not valid UTF-8; save the file as UTF-8");
  EXPECT_EQ(error_of("j.yaml", "a: *nowhere\n").substr(0, 10), "j.yaml:1:4");
}

TEST(Document, WhatIsWrongIsSaidInWordsOfTheFile) {
  EXPECT_EQ(error_of("j.yaml", "a: 1\n---\nb: 2\n"),
            "j.yaml:2:1: a second YAML document begins here (after ---); a file holds one: remove the rest, or put it "
            "into a file of its own");
  EXPECT_EQ(error_of("j.yaml", "a: \"b\nc: d\n"),
            "j.yaml:1:4: this is not valid YAML: the quote that opens here is not closed");
  EXPECT_EQ(error_of("j.yaml", std::string_view("a: \0", 4)),
            "j.yaml:1:4: there is a NUL byte here; save the file as plain text in UTF-8");
  EXPECT_EQ(error_of("j.yaml", "a:\n\tb: 1\n"),
            "j.yaml:2:3: this is not valid YAML: this line is indented by a tab; use blanks");
  for (const char* fine : {"---\na: 1\n", "a: 1\n...\n", "a: \"b\"", "a: \"b\n\n \"\n", "a: |\n  ---\n  b\n"}) {
    EXPECT_TRUE(parse_yaml_node(fine)) << fine;
  }
}

TEST(Document, AByteOrderMarkIsSkipped) {
  EXPECT_EQ(parse_document("j.yaml",
                           "\xEF\xBB\xBF"
                           "a: 1\n")
                ->root.find("a")
                ->integer,
            1);
  EXPECT_EQ(parse_document("j.json", "\xEF\xBB\xBF{\"a\": 1}")->root.find("a")->integer, 1);
}

TEST(Document, SmallFilesCannotBecomeHugeTrees) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int k = 0; k < 9; ++k) bomb += ", " + below;
    bomb += "]\n";
  }
  EXPECT_NE(error_of("j.yaml", bomb).find("more than 200000 values, the limit"), std::string::npos);
  EXPECT_NE(error_of("j.yaml", std::string(100, '[') + std::string(100, ']')).find("nests deeper than 64 levels"),
            std::string::npos);
  EXPECT_NE(error_of("j.yaml", std::string(100'000, '[')), "no error");
  EXPECT_NE(error_of("j.json", std::string(100'000, '[')), "no error");
}

class DocumentFile : public testing::Test {
 protected:
  DocumentFile() { std::filesystem::create_directories(folder_); }
  ~DocumentFile() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("palette-document-" + std::to_string(::getpid()));
};

TEST_F(DocumentFile, LoadErrorsSayWhatIsWrongWithTheFile) {
  EXPECT_EQ(load_document(folder_ / "absent.yaml").error(),
            (Error{ErrorKind::not_found, "this file does not exist", (folder_ / "absent.yaml").string()}));
  EXPECT_EQ(load_document(folder_).error().message, "this is a folder; a YAML or JSON file is expected");
  std::ofstream(folder_ / "big.yaml") << std::string(limits::kJobFileBytesMax + 1, '#');
  EXPECT_EQ(load_document(folder_ / "big.yaml").error().message,
            "the file is larger than 4 MiB, the most that a job or template file may have");
}

TEST_F(DocumentFile, TheExtensionChoosesTheLanguage) {
  std::ofstream(folder_ / "a.json") << "{\"a\": 'x'}";
  std::ofstream(folder_ / "a.yaml") << "{\"a\": 'x'}";
  EXPECT_FALSE(load_document(folder_ / "a.json"));
  EXPECT_TRUE(load_document(folder_ / "a.yaml"));
}

}  // namespace
}  // namespace palette::job
