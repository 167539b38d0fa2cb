// The floor that plot-palette is measured against: two-step records over Boost.Beast, and nothing else. One thread, one
// kept connection for each record in flight, request and answer through Boost.JSON. No deadlines, retries, templates,
// money or files.
//
//     bare_beast PORT CONCURRENCY RECORDS        OpenAI chat completions of plot-palette-sim at 127.0.0.1:PORT
//
// Exit code 0 when every call of every record was answered; the first failure ends it with 1. Run by run_calls.py.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::ip::tcp;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t kAnswerBytesMax = 1 << 20;
// Connections are opened in groups, so that thousands of them do not overflow the queue of the listening socket.
constexpr std::uint64_t kStartedTogether = 200;
constexpr auto kBetweenStarts = std::chrono::milliseconds(5);

struct Settings {
  std::uint16_t port = 0;
  std::uint64_t concurrency = 0;
  std::uint64_t records = 0;
};

// What the workers share; it outlives them, and one thread runs them all.
struct Run {
  asio::io_context& context;
  Settings settings;
  std::uint64_t next_record = 0;
  std::string failure;  // the first one

  void fail(std::string message) {
    if (failure.empty()) failure = std::move(message);
    context.stop();
  }
};

using Answer = std::expected<std::string, std::string>;

// As long as the first prompt of run_calls.py's job.
std::string question_prompt(std::uint64_t record) {
  std::string prompt = "Write question " + std::to_string(record) +
                       " about Switzerland, whose capital is Bern, for somebody who knows German, French, Italian.";
  for (int i = 0; i < 4; ++i) prompt += " Be precise, be brief, and do not repeat the text.";
  return prompt;
}

http::request<http::string_body> make_request(std::string_view prompt, std::uint16_t port) {
  const json::object message{{"role", "user"}, {"content", prompt}};
  const json::object body{{"model", "gpt-4o-mini"}, {"messages", json::array{message}}, {"max_tokens", 200}};
  http::request<http::string_body> request(http::verb::post, "/v1/chat/completions", 11);
  request.set(http::field::host, "127.0.0.1:" + std::to_string(port));
  request.set(http::field::content_type, "application/json");
  request.set(http::field::authorization, "Bearer sim-key");
  request.body() = json::serialize(body);
  request.prepare_payload();
  return request;
}

Answer read_answer(unsigned status, const std::string& body) {
  if (status != 200) return std::unexpected("status " + std::to_string(status) + ": " + body.substr(0, 200));
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error) return std::unexpected("the answer is not JSON: " + error.message());
  const json::value* text = value.find_pointer("/choices/0/message/content", error);
  if (text == nullptr || !text->is_string()) return std::unexpected("no text in " + body.substr(0, 200));
  return std::string(text->get_string());
}

// One call over a connection that stays open.
asio::awaitable<Answer> call(tcp::socket* socket, boost::beast::flat_buffer* buffer, std::string prompt,
                             std::uint16_t port) {
  http::request<http::string_body> request = make_request(prompt, port);
  const auto [write_error, written] = co_await http::async_write(*socket, request, kTuple);
  if (write_error) co_return std::unexpected("a request was not sent: " + write_error.message());
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytesMax);
  const auto [read_error, read] = co_await http::async_read(*socket, *buffer, parser, kTuple);
  if (read_error) co_return std::unexpected("no answer came: " + read_error.message());
  const auto& response = parser.get();
  co_return read_answer(response.result_int(), response.body());
}

// Makes one record after the other until all are begun.
asio::awaitable<void> work(Run* run) {
  tcp::socket socket(run->context);
  boost::beast::flat_buffer buffer;
  const tcp::endpoint server(asio::ip::address_v4::loopback(), run->settings.port);
  const auto [connect_error] = co_await socket.async_connect(server, kTuple);
  if (connect_error) {
    run->fail("no connection: " + connect_error.message());
    co_return;
  }
  boost::system::error_code option_error;
  socket.set_option(tcp::no_delay(true), option_error);
  if (option_error) run->fail("TCP_NODELAY: " + option_error.message());
  while (run->next_record < run->settings.records) {
    std::string prompt = question_prompt(run->next_record++);
    Answer question = co_await call(&socket, &buffer, std::move(prompt), run->settings.port);
    Answer answer = question;
    if (question) {
      prompt = "Answer in two sentences: " + *question;
      answer = co_await call(&socket, &buffer, std::move(prompt), run->settings.port);
    }
    if (!answer) {
      run->fail(answer.error());
      co_return;
    }
  }
}

asio::awaitable<void> start_workers(Run* run) {
  asio::steady_timer timer(run->context);
  for (std::uint64_t started = 0; started < run->settings.concurrency;) {
    const std::uint64_t until = std::min(run->settings.concurrency, started + kStartedTogether);
    for (; started < until; ++started)
      asio::co_spawn(run->context, work(run), [run](std::exception_ptr thrown) {
        if (thrown) run->fail("a worker threw an exception");
      });
    timer.expires_after(kBetweenStarts);
    if (const auto [error] = co_await timer.async_wait(kTuple); error) run->fail("timer: " + error.message());
  }
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

std::optional<Settings> read_settings(int count, char** words) {
  Settings settings;
  if (count != 4 || !read_number(words[1], settings.port) || !read_number(words[2], settings.concurrency) ||
      !read_number(words[3], settings.records))
    return std::nullopt;
  return settings;
}

}  // namespace

int main(int count, char** words) {
  const std::optional<Settings> settings = read_settings(count, words);
  if (!settings) {
    std::fputs("usage: bare_beast PORT CONCURRENCY RECORDS, each a number of at least 1\n", stderr);
    return 2;
  }
  asio::io_context context(1);
  Run run{context, *settings, 0, {}};
  asio::co_spawn(context, start_workers(&run), [&run](std::exception_ptr thrown) {
    if (thrown) run.fail("starting the workers threw an exception");
  });
  context.run();
  if (run.failure.empty()) return 0;
  std::fprintf(stderr, "bare_beast: %s\n", run.failure.c_str());
  return 1;
}
