#include "job/template_library.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace palette::job {
namespace {

class TemplateLibraryTest : public testing::Test {
 protected:
  TemplateLibraryTest() { std::filesystem::create_directories(folder_); }
  ~TemplateLibraryTest() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, std::string_view text) { std::ofstream(folder_ / name) << text; }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("palette-library-" + std::to_string(::getpid()));
};

TEST_F(TemplateLibraryTest, FindsATemplateByItsIdNotByItsFile) {
  write("file-name.yaml", "template:\n  id: style\n  steps:\n    - {id: a, model: none, prompt: Be brief.}\n");
  write("other.json", R"({"id": "tone", "steps": [{"id": "a", "prompt": "Be kind."}]})");
  TemplateLibrary library(folder_);
  EXPECT_EQ(library.find("style"), "Be brief.");
  EXPECT_EQ(library.find("tone"), "Be kind.");
  EXPECT_EQ(library.find("file-name"), std::nullopt);
  EXPECT_EQ(library.used(), (std::map<std::string, std::string>{{"style", "Be brief."}, {"tone", "Be kind."}}));
}

TEST_F(TemplateLibraryTest, JoinsThePromptsByABlankLine) {
  write("a.yml", "template:\n  id: two\n  steps:\n    - {id: a, prompt: One.}\n    - {id: b, prompt: Two.}\n");
  EXPECT_EQ(TemplateLibrary(folder_).find("two"), "One.\n\nTwo.");
}

TEST_F(TemplateLibraryTest, JobsAndOtherFilesAreNotTemplates) {
  write("job.yaml",
        "name: j\nnum_records: 5\nseed_data: s.jsonl\ntemplate:\n  id: inline\n  steps:\n    - {id: a, prompt: x}\n");
  write("list.json", "[1, 2]");
  write("notes.txt", "template: {id: notes, steps: [{id: a, prompt: x}]}");
  TemplateLibrary library(folder_);
  EXPECT_EQ(library.find("inline"), std::nullopt);
  EXPECT_EQ(library.find("notes"), std::nullopt);
  EXPECT_TRUE(library.unreadable().empty());
  EXPECT_TRUE(library.used().empty());
}

TEST_F(TemplateLibraryTest, TellsWhichFilesCouldNotBeRead) {
  write("broken.yaml", "template: {id: x, steps: [\n");
  write("wrong.yaml", "template: {id: style, stepz: []}\n");
  TemplateLibrary library(folder_);
  EXPECT_EQ(library.find("style"), std::nullopt);
  const std::string wrong = (folder_ / "wrong.yaml").string();
  ASSERT_EQ(library.unreadable().size(), 2u);
  EXPECT_EQ(library.unreadable().at(wrong),
            wrong + ":1:11: template.steps: missing; a template needs a list of 1 to 100 steps");
}

TEST_F(TemplateLibraryTest, TheFirstFileByNameWinsAnId) {
  write("b.yaml", "template: {id: x, steps: [{id: a, prompt: from b}]}\n");
  write("a.yaml", "template: {id: x, steps: [{id: a, prompt: from a}]}\n");
  EXPECT_EQ(TemplateLibrary(folder_).find("x"), "from a");
}

TEST_F(TemplateLibraryTest, AFolderThatIsNotThereHoldsNothing) {
  EXPECT_EQ(TemplateLibrary(folder_ / "absent").find("x"), std::nullopt);
}

TEST(TemplateLibrary, HoldsTheTextsOfASavedJob) {
  TemplateLibrary library(std::map<std::string, std::string>{{"style", "Be brief."}});
  EXPECT_EQ(library.find("style"), "Be brief.");
  EXPECT_EQ(library.find("tone"), std::nullopt);
}

}  // namespace
}  // namespace palette::job
