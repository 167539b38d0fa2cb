// A program of the build: catalogue_json models.yaml catalogue.json
// Writes the YAML file as compact JSON, which is then compiled in. A file that cannot be read ends the build.
#include <cstdio>

#include "job/document.h"

int main(int argc, char** argv) {
  using namespace palette;
  if (argc != 3) {
    std::fprintf(stderr, "usage: catalogue_json models.yaml catalogue.json\n");
    return 2;
  }
  const Result<job::Document> document = job::load_document(argv[1]);
  if (!document) {
    std::fprintf(stderr, "%s\n", document.error().text().c_str());
    return 1;
  }
  const std::string text = to_json_text(document->root.to_json());
  std::FILE* out = std::fopen(argv[2], "wb");
  const bool written = out != nullptr && std::fwrite(text.data(), 1, text.size(), out) == text.size();
  if (out == nullptr || std::fclose(out) != 0 || !written) {
    std::perror(argv[2]);
    return 1;
  }
  return 0;
}
