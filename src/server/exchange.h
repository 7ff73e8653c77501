// A request of a client and the answer to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "server/api_error.h"
#include "server/body_buffer.h"
#include "server/request_log.h"

namespace Poco::Net {
class HTTPServerRequestImpl;
class HTTPServerResponse;
class WebSocket;
}  // namespace Poco::Net

namespace whisper_s4y::server {

/// Why a request cannot be understood at all, nothing when it can: its lengths contradict each
/// other, which is how requests are smuggled, or its address or version is none.
[[nodiscard]] std::optional<ApiError> fault_of(const Poco::Net::HTTPServerRequestImpl& request);

/// What holds for every exchange.
struct ExchangeLimits {
  std::chrono::duration<double> request_timeout;  // from its header on
  std::chrono::duration<double> read_timeout;     // for more of a body
  int64_t max_body = 0;                           // bytes
};

/// One request over HTTP, in the thread of its connection.
class Exchange {
 public:
  Exchange(Poco::Net::HTTPServerRequestImpl& request, Poco::Net::HTTPServerResponse& response,
           std::string id, const ExchangeLimits& limits, const std::function<bool()>& stopping);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] const std::string& method() const;
  /// Without the query, "/v1/models".
  [[nodiscard]] const std::string& path() const { return path_; }
  /// A field of the query; empty: there is none.
  [[nodiscard]] std::string query(const std::string& name) const;
  /// A header; empty: there is none.
  [[nodiscard]] std::string header(const std::string& name) const;
  /// The body; reading it throws what it is not to be: what Body tells.
  [[nodiscard]] BodyBuffer& body() { return body_; }
  [[nodiscard]] Poco::Net::HTTPServerRequestImpl& request() { return request_; }
  [[nodiscard]] Poco::Net::HTTPServerResponse& response() { return response_; }

  /// Whether the client has hung up; looks every few milliseconds at most.
  [[nodiscard]] bool is_client_gone();
  /// Throws ClientGone when the client has hung up, ApiError when the time is over (504) or the
  /// server has stopped waiting for its requests (503).
  void check();

  void set_header(const std::string& name, const std::string& value);
  /// Sends a whole answer. What of the body was not read is not waited for: the connection is
  /// closed then.
  void answer(int status, const std::string& content_type, std::string_view body);
  void answer_json(std::string_view json) { answer(200, "application/json", json); }
  void answer(const ApiError& error);
  /// The same with a body of another form.
  void answer(const ApiError& error, std::string_view json);

  /// Begins an answer in pieces.
  void begin(const std::string& content_type);
  /// Sends a piece at once. Throws ClientGone when the client takes none.
  void send(std::string_view piece);

  /// Makes a WebSocket of the connection; of the subprotocols that the client offers `subprotocol`
  /// is taken, if it is there. From now on nothing else can be answered. Throws ApiError (400,
  /// 426).
  [[nodiscard]] Poco::Net::WebSocket upgrade(std::string_view subprotocol);

  /// Whether the answer has begun: then no other can be given.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] RequestRecord& record() { return record_; }
  /// Seconds since the header came.
  [[nodiscard]] double seconds() const;

 private:
  void ask_for_body();
  void prepare(int status, const std::string& content_type);

  Poco::Net::HTTPServerRequestImpl& request_;
  Poco::Net::HTTPServerResponse& response_;
  const ExchangeLimits& limits_;
  const std::function<bool()>& stopping_;
  std::string path_;
  std::string query_;
  BodyBuffer body_;
  RequestRecord record_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_look_{};
  bool is_gone_ = false;
  bool has_asked_ = false;  // for the body, where the client waits for that
  bool has_begun_ = false;
  std::ostream* out_ = nullptr;
};

}  // namespace whisper_s4y::server
