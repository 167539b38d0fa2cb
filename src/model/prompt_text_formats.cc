#include "model/prompt_text_formats.h"

#include <algorithm>
#include <array>

#include "model/request_body.h"

namespace palette::model {
namespace {

constexpr std::array<std::string_view, 12> kMistralMarks = {
    "<s>",          "</s>",           "[INST]",          "[/INST]",           "[SYSTEM_PROMPT]",    "[/SYSTEM_PROMPT]",
    "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[IMG]"};

// Does a mark "<|name|>" begin at `at`?
bool is_llama_mark(std::string_view text, std::size_t at) {
  if (!text.substr(at).starts_with("<|")) return false;
  std::size_t end = at + 2;
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  while (end < text.size() && is_name(text[end])) ++end;
  return end > at + 2 && text.substr(end).starts_with("|>");
}

bool is_mistral_mark(std::string_view text, std::size_t at) {
  return std::any_of(kMistralMarks.begin(), kMistralMarks.end(),
                     [&](std::string_view mark) { return text.substr(at).starts_with(mark); });
}

// The text with a space after the first character of each mark.
template <class IsMark>
std::string without_marks(std::string_view text, IsMark is_mark) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if ((text[i] == '<' || text[i] == '[') && is_mark(text, i)) out += ' ';
  }
  return out;
}

bool is_open(const ModelRequest& request, std::size_t at) {
  return at + 1 == request.messages.size() && request.messages[at].role == Message::Role::assistant;
}

void append_llama_turn(std::string& out, std::string_view role, std::string_view text) {
  out += "<|start_header_id|>";
  out += role;
  out += "<|end_header_id|>\n\n";
  out += without_llama_marks(text);
}

}  // namespace

std::string without_llama_marks(std::string_view text) { return without_marks(text, is_llama_mark); }

std::string without_mistral_marks(std::string_view text) { return without_marks(text, is_mistral_mark); }

std::string llama_prompt(const ModelRequest& request, const job::ResolvedModel& model) {
  std::string out = "<|begin_of_text|>", room;
  if (has_own_system(request, model)) {
    append_llama_turn(out, "system", request.system);
    out += "<|eot_id|>";
  }
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    append_llama_turn(out, role_name(request.messages[i].role), message_text(request, i, model, room));
    if (is_open(request, i)) return out;
    out += "<|eot_id|>";
  }
  append_llama_turn(out, "assistant", "");
  return out;
}

std::string mistral_prompt(const ModelRequest& request) {
  std::string out = "<s>";
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const std::string text = without_mistral_marks(request.messages[i].text);
    if (request.messages[i].role == Message::Role::user) {
      out += "[INST] ";
      if (i == 0 && !request.system.empty()) out += without_mistral_marks(request.system) + "\n\n";
      out += text + " [/INST]";
    } else {
      out += " " + text;
      if (!is_open(request, i)) out += "</s>";
    }
  }
  return out;
}

std::string titan_prompt(const ModelRequest& request) {
  std::string out;
  if (!request.system.empty()) out += request.system + "\n\n";
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    out += request.messages[i].role == Message::Role::user ? "User: " : "Bot: ";
    out += request.messages[i].text;
    if (is_open(request, i)) return out;
    out += '\n';
  }
  return out + "Bot:";
}

}  // namespace palette::model
