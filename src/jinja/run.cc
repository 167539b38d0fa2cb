#include "jinja/run.h"

#include <algorithm>
#include <atomic>

#include "jinja/fault.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

std::atomic<std::uint64_t> runs_started{0};

Meter start_meter(const RenderOptions& options, const Settings& settings) {
  Meter meter;
  meter.limits = options.limits;
  meter.undefined = settings.undefined;
  if (options.limits.deadline_ms > 0) {
    meter.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options.limits.deadline_ms);
  }
  meter.next_check = std::min(meter.next_check, options.limits.steps + 1);
  return meter;
}

}  // namespace

std::uint64_t Drawer::draw(std::string_view what, std::uint64_t bound) {
  std::uint32_t stream = stream_of(what);
  auto entry = streams_.try_emplace(stream, key_, index_, stream).first;
  return entry->second.below(bound);
}

Run::Run(const detail::CompiledTemplate& compiled, const Value& given, const RenderOptions& of_options, bool of_thaw)
    : main(compiled),
      environment(*compiled.environment),
      settings(compiled.environment->settings),
      variables(given),
      options(of_options),
      meter(start_meter(of_options, settings)),
      meter_scope(&meter),
      drawer(of_options.random_key, of_options.random_index),
      autoescape(settings.autoescape),
      thaw(of_thaw),
      number(++runs_started),
      current(&compiled) {
  meter.stack_top = static_cast<const char*>(__builtin_frame_address(0));
}

// Containers that hold each other would never be freed: what was put into others is taken out again.
Run::~Run() {
  for (Value& value : changed) {
    if (value.kind() == Kind::list) list_of(value).items.clear();
    if (value.kind() == Kind::dict) dict_of(value).clear();
  }
}

Run::FunctionScope::FunctionScope(Run& of_run, const Function& function, Frame* parent, Context& context,
                                  const detail::CompiledTemplate& compiled)
    : run(of_run),
      code(function),
      own(function.closures ? std::make_unique<KeptFrame>() : nullptr),
      frame(own != nullptr ? own->frame : plain),
      before(of_run.current) {
  if (++run.call_depth > run.meter.limits.call_depth) {
    fault_limit("macros, includes and recursive loops nest deeper than the limit of " +
                std::to_string(run.meter.limits.call_depth) + " (call_depth)");
  }
  check_stack();
  frame.parent = parent;
  frame.context = &context;
  frame.compiled = &compiled;
  if (own != nullptr || function.slots > few.size()) {
    many = std::make_unique<Value[]>(function.slots);
    frame.slots = many.get();
  } else {
    frame.slots = few.data();
  }
  run.current = &compiled;
  for (const ResolvedName& name : function.resolved) frame.slots[name.slot] = run.resolve(context, *name.name);
  run.enter(frame, function.scope);
  if (function.takes_self) {
    auto* blocks = new BlocksObject;
    blocks->context = &context;
    blocks->run_number = run.number;
    frame.slots[function.self_slot] = Value::adopt(Kind::blocks, blocks);
  }
}

Run::FunctionScope::~FunctionScope() = default;

// A frame whose macros are held by somebody else stays until the render's end.
void Run::FunctionScope::leave() {
  --run.call_depth;
  run.current = before;
  if (own == nullptr) return;
  bool keep = frame.kept;
  for (const Value& macro : frame.macros) {
    std::uint32_t mine = 1;
    for (std::size_t i = 0; i < code.slots; ++i) {
      if (frame.slots[i].kind() == Kind::macro && frame.slots[i].object() == macro.object()) ++mine;
    }
    keep |= macro.object()->references.load() > mine;
  }
  if (!keep) {
    for (const Value& macro : frame.macros) macro_of(macro).frame = nullptr;
    return;
  }
  for (Frame* outer = frame.parent; outer != nullptr; outer = outer->parent) outer->kept = true;
  meter_take(sizeof(KeptFrame) + code.slots * sizeof(Value));
  own->slots = std::move(many);
  run.kept_frames.push_back(std::move(own));
}

}  // namespace palette::jinja
