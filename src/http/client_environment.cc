// The client's settings as the environment has them.
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "http/client.h"
#include "http/proxy.h"

namespace palette::http {
namespace {

// The first of these variables that is set and not empty.
std::string first_set(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

}  // namespace

Result<ClientSettings> client_settings_from_environment() {
  ClientSettings settings;
  settings.ca_file = first_set({"AWS_CA_BUNDLE", "SSL_CERT_FILE"});
  settings.http_proxy = first_set({"http_proxy", "all_proxy", "ALL_PROXY"});
  settings.https_proxy = first_set({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  settings.no_proxy = first_set({"no_proxy", "NO_PROXY"});
  if (const Result<Proxy> proxy = Proxy::parse(settings.http_proxy); !settings.http_proxy.empty() && !proxy)
    return std::unexpected(proxy.error().at("http_proxy"));
  if (const Result<Proxy> proxy = Proxy::parse(settings.https_proxy); !settings.https_proxy.empty() && !proxy)
    return std::unexpected(proxy.error().at("https_proxy"));
  return settings;
}

}  // namespace palette::http
