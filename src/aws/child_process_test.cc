#include "aws/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "async/task_group.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

TEST(SplitCommand, SplitsAsAShellDoes) {
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"tool", {"tool"}},
      {"  a  b\tc ", {"a", "b", "c"}},
      {"a 'b c' \"d e\"", {"a", "b c", "d e"}},
      {"a\\ b c\\\\d", {"a b", "c\\d"}},
      {R"("a\"b\$c\d" 'e\f')", {"a\"b$c\\d", "e\\f"}},
      {"x'y'\"z\"", {"xyz"}},
      {"a '' \"\"", {"a", "", ""}},
      {"a $HOME *.txt | b; c", {"a", "$HOME", "*.txt", "|", "b;", "c"}},
  };
  for (const auto& [text, words] : cases) {
    const Result<std::vector<std::string>> split = split_command(text);
    ASSERT_TRUE(split) << text;
    EXPECT_EQ(*split, words) << text;
  }
  EXPECT_EQ(split_command("a 'b").error().message, "the command has an open quote ('); close it");
  EXPECT_EQ(split_command(" ").error().message, "the command is empty");
}

struct Runner {
  Result<ProcessOutput> run(std::string script, ProcessLimits bounds = {}) {
    return loop.run(run_process({"/bin/sh", "-c", std::move(script)}, environment, bounds));
  }
  async::EventLoop loop;
  std::shared_ptr<const Environment> environment =
      std::make_shared<const Environment>(Environment{{{"PATH", "/usr/bin:/bin"}, {"GREETING", "hello"}}, {}});
};

TEST(ChildProcess, GivesWhatItPrintedAndHowItEnded) {
  Runner runner;
  const Result<ProcessOutput> output = runner.run("echo $GREETING; echo oops >&2; exit 3");
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->exit_code, 3);
  EXPECT_EQ(output->out, "hello\n");
  EXPECT_EQ(output->error_text, "oops\n");
}

TEST(ChildProcess, HasNothingOfOursButItsPipes) {
  Runner runner;
  const Result<ProcessOutput> output =
      runner.run("read line || echo end; for f in /proc/self/fd/*; do echo ${f##*/}; done");
  ASSERT_TRUE(output);
  // 3 at most is the shell's own, of the listing.
  EXPECT_TRUE(output->out == "end\n0\n1\n2\n3\n" || output->out == "end\n0\n1\n2\n") << output->out;
}

TEST(ChildProcess, ASignalIsAnExitCode) {
  Runner runner;
  const Result<ProcessOutput> output = runner.run("kill -TERM $$");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->exit_code, 128 + SIGTERM);
}

TEST(ChildProcess, MuchOnStderrBlocksNobody) {
  Runner runner;
  const Result<ProcessOutput> output = runner.run(
      "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; echo done");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "done\n");
  EXPECT_EQ(output->error_text.size(), 4 * limits::kKiB);
}

// Neither gone nor a zombie that init has yet to take.
bool runs(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("State:")) return line.find('Z') == std::string::npos && line.find('X') == std::string::npos;
  }
  return false;
}

TEST(ChildProcess, OneThatHangsIsKilledWithItsChildren) {
  Runner runner;
  TemporaryFolder folder;
  const std::string file = folder.path() / "pid";
  const Result<ProcessOutput> output = runner.run("sleep 1000 & echo $! >" + file + "; wait", {.timeout_ms = 500});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::timeout);
  EXPECT_EQ(output.error().text(),
            "/bin/sh: the program did not end within 500 ms and was killed; it must answer without asking anybody");
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  ASSERT_GT(pid, 0);
  // The kernel needs a moment to end it.
  for (int i = 0; i < 1'000 && runs(pid); ++i) ASSERT_TRUE(runner.loop.run(async::sleep_for(1)));
  EXPECT_FALSE(runs(pid));
}

TEST(ChildProcess, ItsLastWordsAreKeptWhenAnotherHoldsThePipe) {
  Runner runner;
  // The one in the background leaves the group and keeps stderr open.
  const Result<ProcessOutput> output = runner.run("setsid sleep 2 >/dev/null & echo why >&2; exit 1");
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->exit_code, 1);
  EXPECT_EQ(output->error_text, "why\n");
}

TEST(ChildProcess, TooMuchOutputIsRefused) {
  Runner runner;
  const Result<ProcessOutput> output = runner.run("while :; do echo 0123456789; done", {.output_bytes_max = 100'000});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().text(), "/bin/sh: the program printed more than 100000 bytes and was killed");
}

TEST(ChildProcess, OneThatDoesNotExistIsBadInput) {
  Runner runner;
  const Result<ProcessOutput> output = runner.loop.run(run_process({"/no/such/program"}, runner.environment, {}));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::bad_input);
}

async::Task<void> keep_output(std::shared_ptr<const Environment> environment, Result<ProcessOutput>* output) {
  std::vector<std::string> words = {"/bin/sh", "-c", "sleep 1000"};
  *output = co_await run_process(std::move(words), environment, {});
}

async::Task<Result<ProcessOutput>> cancel_a_process(std::shared_ptr<const Environment> environment) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  Result<ProcessOutput> output = fail(ErrorKind::internal, "not set");
  group.spawn(keep_output(environment, &output));
  co_await async::sleep_for(20);  // it has been started
  group.cancel();
  co_await group.join();
  co_return output;
}

TEST(ChildProcess, CancellingEndsIt) {
  Runner runner;
  const Result<ProcessOutput> output = runner.loop.run(cancel_a_process(runner.environment));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace palette::aws
