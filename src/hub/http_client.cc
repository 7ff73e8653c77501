#include "hub/http_client.h"

#include <curl/curl.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "common/ascii.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

// libcurl asks for one initialisation per process, before any thread uses it.
void initialise_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK)
    fail(ErrorCode::network, "libcurl cannot start: {}.", curl_easy_strerror(code));
}

/// The certificates of the system, which each distribution keeps elsewhere; empty: where libcurl
/// was built to look.
std::string certificates() {
  if (const char* named = std::getenv("SSL_CERT_FILE"); named != nullptr) return named;
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt",  // Debian, Arch, Gentoo
                           "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
                           "/etc/ssl/ca-bundle.pem",              // openSUSE
                           "/etc/ssl/cert.pem"}) {                // Alpine
    std::error_code unreadable;
    if (std::filesystem::exists(path, unreadable)) return path;
  }
  return {};
}

/// One more header of a request, or none. libcurl does not copy it.
class HeaderList {
 public:
  explicit HeaderList(const std::string& header)
      : list_(header.empty() ? nullptr : curl_slist_append(nullptr, header.c_str())) {}
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  [[nodiscard]] curl_slist* get() const { return list_; }

 private:
  curl_slist* list_;
};

struct Transfer {
  CURL* curl;
  HttpResponse response;
  const std::function<void(const HttpResponse&, std::string_view)>* on_body;
  const HttpRequest* request;
  std::exception_ptr thrown;  // exceptions must not cross libcurl's C code
};

size_t receive_header(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    // A status line: HTTP/1.1 302 Found. Content-* describe one response only.
    if (line.starts_with("HTTP/")) {
      std::erase_if(transfer.response.headers,
                    [](const auto& item) { return item.first.starts_with("content-"); });
      transfer.response.etag.clear();
    }
    return line.size();
  }
  std::string name = lower_case(line.substr(0, colon));
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front()))) {
    value.remove_prefix(1);
  }
  while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back()))) {
    value.remove_suffix(1);
  }
  // A weak one, W/"...", may stand for bodies that differ.
  if (name == "etag" && value.starts_with('"')) transfer.response.etag = value;
  transfer.response.headers.emplace(std::move(name), value);
  return line.size();
}

size_t receive_body(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t bytes = size * count;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &transfer.response.status);
  if (!transfer.response.ok()) return bytes;
  try {
    (*transfer.on_body)(transfer.response, {data, bytes});
  } catch (...) {
    transfer.thrown = std::current_exception();
    return 0;  // ends the transfer with CURLE_WRITE_ERROR
  }
  return bytes;
}

/// libcurl calls it about once a second, and when bytes move.
int ask_whether_cancelled(void* user, curl_off_t /*download_total*/, curl_off_t /*downloaded*/,
                          curl_off_t /*upload_total*/, curl_off_t /*uploaded*/) {
  auto& transfer = *static_cast<Transfer*>(user);
  try {
    if (!transfer.request->cancelled()) return 0;
    fail(ErrorCode::cancelled, "The download of {} was cancelled.", transfer.request->url);
  } catch (...) {
    transfer.thrown = std::current_exception();
    return 1;  // ends the transfer with CURLE_ABORTED_BY_CALLBACK
  }
}

bool is_transient(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
      return true;
    default:
      return false;
  }
}

bool is_transient_status(long status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501);
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

struct HttpClient::Handle {
  CURL* curl = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>()) {
  initialise_curl_once();
  handle_->curl = curl_easy_init();
  if (handle_->curl == nullptr)
    fail(ErrorCode::network, "libcurl cannot start: curl_easy_init failed.");
}

HttpClient::~HttpClient() { curl_easy_cleanup(handle_->curl); }

HttpResponse HttpClient::get(
    const HttpRequest& request,
    const std::function<void(const HttpResponse&, std::string_view)>& on_body) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);  // keeps the connections
  Transfer transfer{curl, {}, &on_body, &request, nullptr};
  handle_->error[0] = '\0';
  // A redirect never leads from a protected connection to an open one, nor to another protocol.
  const char* protocols = request.url.starts_with("https:") ? "https" : "http,https";
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
  if (const std::string file = certificates(); !file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, file.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 8L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "whisper-s4y");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 15L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->error.data());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, receive_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  if (request.cancelled) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_whether_cancelled);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  }
  if (request.range_begin > 0) {
    const std::string range = fmt::format("{}-", request.range_begin);
    curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());  // copied by libcurl
  }
  const HeaderList headers(request.range_begin > 0 && !request.if_range.empty()
                               ? "If-Range: " + request.if_range
                               : std::string());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (!request.bearer_token.empty()) {
    // As a credential, not as a header of ours: libcurl then keeps it from other hosts.
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request.bearer_token.c_str());
  }

  const CURLcode code = curl_easy_perform(curl);
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  HttpResponse& response = transfer.response;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
  response.retry_after = std::chrono::seconds(retry_after);
  if (code != CURLE_OK) {
    const std::string detail = handle_->error.data();
    response.problem = detail.empty() ? curl_easy_strerror(code) : detail;
    response.transient = is_transient(code);
  } else if (is_transient_status(response.status)) {
    response.problem = fmt::format("the server answered {}", response.status);
    response.transient = true;
  }
  return std::move(response);
}

}  // namespace whisper_s4y
