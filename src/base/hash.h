// SHA-256 (OpenSSL), as lower-case hex.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace palette {

std::string sha256_hex(std::string_view data);

// For data that comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view data);
  std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace palette
