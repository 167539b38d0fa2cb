// plot-palette init [DIR]: a job that runs as it is, to start from.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <fstream>

#include "base/json.h"
#include "cli/command.h"

namespace palette::cli {
namespace {

constexpr std::string_view kJob = R"(# A starter job. Run it:  plot-palette run job.yaml
# `offline` needs nothing and makes plausible noise; name a real model here when the pipeline is as you want it.
name: my-first-dataset
model: offline
seed_data: seeds.jsonl
seed_sampling: shuffle        # every seed row once before any row twice
seed: 1                       # the same seed makes the same records
num_records: 20
output_format: [JSONL, CSV]   # JSONL, PARQUET, CSV
template:
  steps:
    - id: question
      prompt: |
        Write one question about {{ topic }} for {{ audience }}.
        Keywords: {{ text | extract_keywords(3) | join(', ') }}
      max_tokens: 60
    - id: answer
      prompt: |
        Answer in two sentences: {{ steps.question.output }}
        Use this text: {{ text | truncate_tokens(200) }}
      max_tokens: 120
columns:                      # what a row of the dataset holds
  topic: "{{ topic }}"
  question: "{{ steps.question.output }}"
  answer: "{{ steps.answer.output }}"
)";

constexpr std::string_view kSeeds =
    R"({"topic": "the water cycle", "audience": "school children", "text": "Water evaporates from oceans and lakes, rises as vapour, cools into clouds and falls as rain or snow. Rivers carry it back to the sea."}
{"topic": "bicycle gears", "audience": "adults", "text": "A low gear makes pedalling easy and slow; a high gear makes it hard and fast. The chain moves between sprockets of different size."}
{"topic": "bread", "audience": "beginners", "text": "Yeast eats sugar and gives off carbon dioxide, which makes the dough rise. Kneading builds gluten, which holds the gas."}
{"topic": "the phases of the moon", "audience": "school children", "text": "The moon shines by reflected sunlight. As it moves around the earth we see more or less of its lit half, from new moon to full moon."}
)";

Status write_new(const std::filesystem::path& file, std::string_view text) {
  std::error_code ec;
  if (std::filesystem::exists(file, ec)) {
    return fail(ErrorKind::bad_input,
                "this file is there already; nothing was written. Name another folder: plot-palette init DIR",
                file.string());
  }
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ec);
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) return std::unexpected(system_error("write", file.string(), errno));
  return {};
}

int init(const std::filesystem::path& dir, bool json) {
  const auto job = (dir / "job.yaml").lexically_normal(), seeds = (dir / "seeds.jsonl").lexically_normal();
  std::error_code ec;
  for (const auto& file : {job, seeds}) {  // both or none
    if (std::filesystem::exists(file, ec)) return tell_error(write_new(file, "").error());
  }
  if (Status written = write_new(job, kJob); !written) return tell_error(written.error());
  if (Status written = write_new(seeds, kSeeds); !written) return tell_error(written.error());
  if (json) {
    JsonObject out;
    out["files"] = JsonArray{Json(job.string()), Json(seeds.string())};
    std::printf("%s\n", to_json_text(out).c_str());
  } else {
    std::printf("Wrote %s and %s. Now: plot-palette run %s\n", job.c_str(), seeds.c_str(), job.c_str());
  }
  return kDone;
}

}  // namespace

void add_init(CLI::App& app, int& exit_code) {
  struct Options {
    CommonOptions common;
    std::filesystem::path dir = ".";
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("init", "Write a starter job that runs as it is");
  command->add_option("DIR", options->dir, "Where to; the current folder if not given");
  add_json_option(*command, options->common);
  command->footer("Example:\n  plot-palette init mydata && plot-palette run mydata/job.yaml");
  command->callback([options, &exit_code] { exit_code = init(options->dir, options->common.json); });
}

}  // namespace palette::cli
