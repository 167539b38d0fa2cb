// How each family writes an answer. By hand rather than through a JSON tree: this is most of what a call costs.

#include "answer.h"
#include "base/json.h"
#include "base/random.h"

namespace palette::sim {
namespace {

// Appends members to a JSON text.
class Writer {
 public:
  Writer& raw(std::string_view text) {
    out_ += text;
    return *this;
  }
  Writer& text(std::string_view value) {
    append_json_string(out_, value);
    return *this;
  }
  Writer& number(std::int64_t value) {
    append_integer(out_, value);
    return *this;
  }
  std::string take() { return std::move(out_); }
  void reserve(std::size_t size) { out_.reserve(size); }

 private:
  std::string out_;
};

std::string_view bedrock_stop(Stop stop) {
  switch (stop) {
    case Stop::end:
      return "end_turn";
    case Stop::max_tokens:
      return "max_tokens";
    case Stop::stop_sequence:
      return "stop_sequence";
  }
  return "";
}

// Of those that know only these two.
std::string_view short_stop(Stop stop) { return stop == Stop::max_tokens ? "length" : "stop"; }

std::int64_t reported_input(const Report& report) {
  return report.usage_includes_cache ? report.usage.total_input() : report.usage.input;
}

void write_message(Writer& out, const Answer& answer) {
  out.raw(R"({"output":{"message":{"role":"assistant","content":[{"text":)").text(answer.text);
  out.raw(R"(}]}},"stopReason":")").raw(bedrock_stop(answer.stop)).raw("\"");
}

void write_converse(Writer& out, const Call& call, const Answer& answer, const Report& report) {
  const Usage& usage = report.usage;
  write_message(out, answer);
  out.raw(R"(,"usage":{"inputTokens":)").number(reported_input(report));
  out.raw(R"(,"outputTokens":)").number(usage.output);
  out.raw(R"(,"totalTokens":)").number(usage.total_input() + usage.output);
  out.raw(R"(,"cacheReadInputTokens":)").number(usage.cache_read);
  out.raw(R"(,"cacheWriteInputTokens":)").number(usage.cache_write + usage.cache_write_1h);
  if (usage.cache_write + usage.cache_write_1h > 0) {
    out.raw(R"(,"cacheDetails":[{"ttl":")").raw(usage.cache_write_1h > 0 ? "1h" : "5m");
    out.raw(R"(","inputTokens":)").number(usage.cache_write + usage.cache_write_1h).raw("}]");
  }
  out.raw(R"(},"metrics":{"latencyMs":)").number(report.latency_ms).raw("}");
  if (!call.service_tier.empty()) out.raw(R"(,"serviceTier":{"type":)").text(call.service_tier).raw("}");
  out.raw("}");
}

void write_nova(Writer& out, const Answer& answer, const Report& report) {
  const Usage& usage = report.usage;
  write_message(out, answer);
  out.raw(R"(,"usage":{"inputTokens":)").number(reported_input(report));
  out.raw(R"(,"outputTokens":)").number(usage.output);
  out.raw(R"(,"totalTokens":)").number(usage.total_input() + usage.output);
  out.raw(R"(,"cacheReadInputTokenCount":)").number(usage.cache_read);
  out.raw(R"(,"cacheWriteInputTokenCount":)").number(usage.cache_write + usage.cache_write_1h).raw("}}");
}

void write_anthropic(Writer& out, const Call& call, const Answer& answer, const Report& report) {
  const Usage& usage = report.usage;
  out.raw(R"({"id":"msg_bdrk_)").raw(report.request_id);
  out.raw(R"(","type":"message","role":"assistant","model":)").text(call.model);
  out.raw(R"(,"content":[{"type":"text","text":)").text(answer.text);
  out.raw(R"(}],"stop_reason":")").raw(bedrock_stop(answer.stop)).raw(R"(","stop_sequence":)");
  if (answer.stop == Stop::stop_sequence)
    out.text(answer.stop_sequence);
  else
    out.raw("null");
  out.raw(R"(,"usage":{"input_tokens":)").number(reported_input(report));
  out.raw(R"(,"cache_creation_input_tokens":)").number(usage.cache_write + usage.cache_write_1h);
  out.raw(R"(,"cache_read_input_tokens":)").number(usage.cache_read);
  out.raw(R"(,"output_tokens":)").number(usage.output).raw("}}");
}

void write_llama(Writer& out, const Answer& answer, const Report& report) {
  out.raw(R"({"generation":)").text(answer.text);
  out.raw(R"(,"prompt_token_count":)").number(reported_input(report));
  out.raw(R"(,"generation_token_count":)").number(report.usage.output);
  out.raw(R"(,"stop_reason":")").raw(short_stop(answer.stop)).raw("\"}");
}

void write_mistral_text(Writer& out, const Answer& answer) {
  out.raw(R"({"outputs":[{"text":)").text(answer.text);
  out.raw(R"(,"stop_reason":")").raw(short_stop(answer.stop)).raw("\"}]}");
}

void write_mistral_chat(Writer& out, const Answer& answer) {
  out.raw(R"({"choices":[{"index":0,"message":{"role":"assistant","content":)").text(answer.text);
  out.raw(R"(,"tool_calls":null},"stop_reason":")").raw(short_stop(answer.stop)).raw("\"}]}");
}

void write_titan(Writer& out, const Answer& answer, const Report& report) {
  out.raw(R"({"inputTextTokenCount":)").number(reported_input(report));
  out.raw(R"(,"results":[{"tokenCount":)").number(report.usage.output);
  out.raw(R"(,"outputText":)").text(answer.text).raw(R"(,"completionReason":")");
  out.raw(answer.stop == Stop::max_tokens ? "LENGTH" : answer.stop == Stop::end ? "FINISH" : "STOP_CRITERIA_MET");
  out.raw("\"}]}");
}

// Numbers in [-0.5, 0.5) that follow from the text.
void write_embedding(Writer& out, const Call& call, const Report& report) {
  CounterRandom random(call.prompt_hash, 0, stream_of("embedding"));
  out.raw(R"({"embedding":[)");
  for (std::int64_t i = 0; i < call.dimensions; ++i) {
    std::string value;
    append_double(value, static_cast<double>(random.below(1'000'000)) / 1e6 - 0.5);
    out.raw(i == 0 ? "" : ",").raw(value);
  }
  out.raw(R"(],"inputTextTokenCount":)").number(reported_input(report)).raw("}");
}

void write_openai(Writer& out, const Call& call, const Answer& answer, const Report& report) {
  const Usage& usage = report.usage;
  out.raw(R"({"id":"chatcmpl-)").raw(report.request_id);
  out.raw(R"(","object":"chat.completion","created":)").number(report.created_s);
  out.raw(R"(,"model":)").text(call.model);
  out.raw(R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)").text(answer.text);
  out.raw(R"(,"refusal":null},"logprobs":null,"finish_reason":")").raw(short_stop(answer.stop));
  out.raw(R"("}],"usage":{"prompt_tokens":)").number(usage.total_input());
  out.raw(R"(,"completion_tokens":)").number(usage.output);
  out.raw(R"(,"total_tokens":)").number(usage.total_input() + usage.output);
  out.raw(R"(,"prompt_tokens_details":{"cached_tokens":)").number(usage.cache_read);
  out.raw(R"(},"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":)");
  out.text(call.service_tier.empty() ? std::string_view("default") : std::string_view(call.service_tier));
  out.raw(R"(,"system_fingerprint":"fp_sim"})");
}

}  // namespace

std::string answer_body(const Call& call, const Answer& answer, const Report& report) {
  Writer out;
  out.reserve(answer.text.size() + 640);
  switch (call.shape) {
    case Shape::converse:
      write_converse(out, call, answer, report);
      break;
    case Shape::anthropic:
      write_anthropic(out, call, answer, report);
      break;
    case Shape::llama:
      write_llama(out, answer, report);
      break;
    case Shape::mistral_text:
      write_mistral_text(out, answer);
      break;
    case Shape::mistral_chat:
      write_mistral_chat(out, answer);
      break;
    case Shape::nova:
      write_nova(out, answer, report);
      break;
    case Shape::titan:
      write_titan(out, answer, report);
      break;
    case Shape::titan_embedding:
      write_embedding(out, call, report);
      break;
    case Shape::openai:
    case Shape::openai_bedrock:
      write_openai(out, call, answer, report);
      break;
  }
  return out.take();
}

}  // namespace palette::sim
