// GET over HTTP(S), as the hub needs it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace whisper_s4y {

/// What came of one GET, redirects followed.
struct HttpResponse {
  long status = 0;                      // of the last response; 0 when none arrived
  std::string problem;                  // empty, or why the transfer did not finish
  bool transient = false;               // whether the same request may well succeed later
  std::chrono::seconds retry_after{0};  // what the server asked to wait
  std::string etag;                     // strong one of the last response, whose body it names
  // Headers by lower-case name. Of several responses on the way the first to carry a name counts:
  // a hub describes a file where it redirects to the storage that holds it.
  std::map<std::string, std::string> headers;

  [[nodiscard]] bool ok() const { return problem.empty() && status >= 200 && status < 300; }
  /// Value of a header, or an empty string.
  [[nodiscard]] std::string header(const std::string& name) const;
};

struct HttpRequest {
  std::string url;
  std::string bearer_token;                // sent to the url's own host and port only
  uint64_t range_begin = 0;                // 0 asks for the whole, otherwise for the rest from here
  std::string if_range;                    // the rest only of the body with this ETag, if any
  std::chrono::seconds stall_timeout{30};  // no byte for so long ends the transfer
  std::function<bool()> cancelled = {};    // asked several times a second; true ends the transfer
};

/// A connection that is kept between requests. Not for use by two threads at once.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `on_body(status, bytes)` receives the body of a 2xx response as it arrives; what it throws
  /// ends the transfer and is thrown from here. Other bodies are dropped. Problems of the network
  /// and of the server are told in the response, not thrown.
  /// Throws Error with ErrorCode::cancelled when `request.cancelled` says so.
  HttpResponse get(const HttpRequest& request,
                   const std::function<void(const HttpResponse&, std::string_view)>& on_body);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace whisper_s4y
