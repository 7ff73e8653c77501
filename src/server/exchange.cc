#include "server/exchange.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTMLForm.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/String.h>
#include <Poco/StringTokenizer.h>
#include <Poco/Timespan.h>
#include <Poco/URI.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "common/utf8.h"
#include "server/sockets.h"

namespace whisper_s4y::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{10};
// What of an unwanted body is taken so that the client comes to read the answer.
constexpr std::chrono::seconds kLinger{3};
constexpr int64_t kMostLingering = int64_t{64} << 20;
// A client that takes nothing of its answer for so long is gone.
constexpr int kSendTimeout = 20;  // seconds

int64_t length_of(const Poco::Net::HTTPServerRequestImpl& request) {
  return request.hasContentLength() && !request.getChunkedTransferEncoding()
             ? static_cast<int64_t>(request.getContentLength64())
             : -1;
}

bool has_body(const Poco::Net::HTTPServerRequestImpl& request) {
  return request.getChunkedTransferEncoding() || length_of(request) > 0;
}

// The path of "/a?b" and of "http://host/a?b", as it is written.
std::string_view path_in(std::string_view uri) {
  const size_t scheme = uri.find("://");
  if (scheme != std::string_view::npos && !uri.starts_with('/')) {
    const size_t slash = uri.find('/', scheme + 3);
    uri = slash == std::string_view::npos ? "/" : uri.substr(slash);
  }
  return uri.substr(0, uri.find('?'));
}

std::string decoded(std::string_view text) {
  std::string plain;
  Poco::URI::decode(std::string(text), plain);
  return plain;
}

// A client that sends less than that is no client: its body would hold a thread for hours.
constexpr double kLeastRate = 1000;  // bytes a second, once it had the time to begin

}  // namespace

std::optional<ApiError> fault_of(const Poco::Net::HTTPServerRequestImpl& request) {
  const std::string& version = request.getVersion();
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return ApiError(505, "This server speaks HTTP/1.1 and HTTP/1.0.");
  }
  int lengths = 0;
  for (const auto& [name, value] : request) {
    if (Poco::icompare(name, Poco::Net::HTTPMessage::CONTENT_LENGTH) != 0) continue;
    constexpr size_t kMostDigits = 18;
    const bool is_number = !value.empty() && value.size() <= kMostDigits &&
                           value.find_first_not_of("0123456789") == std::string::npos;
    if (++lengths > 1 || !is_number) return ApiError(400, "The Content-Length is no number.");
  }
  const std::string encoding = request.get(Poco::Net::HTTPMessage::TRANSFER_ENCODING, "");
  if (!encoding.empty() && (lengths > 0 || Poco::icompare(encoding, "chunked") != 0)) {
    return ApiError(400, "The Transfer-Encoding must be chunked, without a Content-Length.");
  }
  try {
    const std::string& uri = request.getURI();
    static_cast<void>(decoded(path_in(uri)));
    const size_t question = uri.find('?');
    Poco::Net::HTMLForm form;
    if (question != std::string::npos) form.read(uri.substr(question + 1));
  } catch (const Poco::Exception&) {
    return ApiError(400, "The address has a % that stands for nothing.");
  }
  return std::nullopt;
}

Exchange::Exchange(Poco::Net::HTTPServerRequestImpl& request,
                   Poco::Net::HTTPServerResponse& response, std::string id,
                   const ExchangeLimits& limits, const std::function<bool()>& stopping)
    : request_(request),
      response_(response),
      limits_(limits),
      stopping_(stopping),
      body_(request.stream(), length_of(request), limits.max_body, [this] {
        check();
        ask_for_body();
      }) {
  request_.socket().setReceiveTimeout(timespan(limits.read_timeout));
  request_.socket().setSendTimeout(Poco::Timespan(kSendTimeout, 0));
  const std::string& uri = request.getURI();
  const size_t question = uri.find('?');
  path_ = decoded(path_in(uri));
  if (question != std::string::npos) query_ = uri.substr(question + 1);
  record_.id = std::move(id);
  record_.client = request.clientAddress().host().toString();
  record_.protocol = "http";
  record_.method = request.getMethod();
  record_.path = valid_utf8(path_);
  response_.set("X-Request-Id", record_.id);
}

Exchange::~Exchange() = default;

const std::string& Exchange::method() const { return request_.getMethod(); }

std::string Exchange::query(const std::string& name) const {
  Poco::Net::HTMLForm form;
  form.read(query_);
  return form.get(name, "");
}

std::string Exchange::header(const std::string& name) const { return request_.get(name, ""); }

double Exchange::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

bool Exchange::is_client_gone() {
  if (is_gone_ || Clock::now() < next_look_) return is_gone_;
  next_look_ = Clock::now() + kLook;
  is_gone_ = is_hung_up(request_.socket().impl()->sockfd());
  return is_gone_;
}

void Exchange::check() {
  if (stopping_()) {
    throw ApiError(503, "The server is shutting down; try again soon.").retry_after(5);
  }
  if (Clock::now() - begin_ > limits_.request_timeout) {
    throw ApiError(504, "The request took longer than this server allows.", {}, "timeout");
  }
  const double reading = seconds() - limits_.read_timeout.count();
  if (has_body(request_) && !body_.is_complete() &&
      static_cast<double>(body_.size()) < kLeastRate * reading) {
    throw ApiError(408, "The body of the request comes too slowly.", {}, "request_timeout");
  }
  // Before its body was read a client that has hung up may have sent all of it.
  if ((body_.is_complete() || !has_body(request_)) && is_client_gone()) throw ClientGone();
}

// A client that waits for this sends no body where an error is the answer.
void Exchange::ask_for_body() {
  if (!request_.getExpectContinue() || has_asked_) return;
  has_asked_ = true;
  response_.sendContinue();
}

void Exchange::set_header(const std::string& name, const std::string& value) {
  response_.set(name, value);
}

void Exchange::prepare(int status, const std::string& content_type) {
  response_.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
  if (response_.getReason().empty() || response_.getReason() == "???") {
    response_.setReason(status == kClientGone ? "Client Closed Request" : "Unknown");
  }
  if (!content_type.empty()) response_.setContentType(content_type);
  // Where the next request begins is not known then.
  const bool is_unsure = request_.getChunkedTransferEncoding() && status >= 400;
  if (is_unsure || (has_body(request_) && !body_.is_complete())) response_.setKeepAlive(false);
  record_.status = status;
  has_begun_ = true;
}

void Exchange::answer(int status, const std::string& content_type, std::string_view body) {
  prepare(status, content_type);
  const bool has_no_body = status == 204 || status == 304;
  if (!has_no_body) response_.setContentLength(static_cast<std::streamsize>(body.size()));
  std::ostream& out = response_.send();
  if (!has_no_body && method() != "HEAD") {
    out.write(body.data(), static_cast<std::streamsize>(body.size()));
  }
  out.flush();
  if (has_body(request_) && !body_.is_complete()) {
    linger(request_.socket().impl()->sockfd(), kLinger, kMostLingering);
  }
}

void Exchange::answer(const ApiError& error) { answer(error, error.to_json()); }

void Exchange::answer(const ApiError& error, std::string_view json) {
  if (const auto seconds = error.retry_after()) set_header("Retry-After", std::to_string(*seconds));
  record_.error = error.what();
  answer(error.status(), "application/json", json);
}

void Exchange::begin(const std::string& content_type) {
  // HTTP/1.0 knows no chunks: there the end of the connection is that of the answer.
  const bool has_chunks = request_.getVersion() == Poco::Net::HTTPMessage::HTTP_1_1;
  response_.setChunkedTransferEncoding(has_chunks);
  prepare(200, content_type);
  if (!has_chunks) response_.setKeepAlive(false);
  out_ = &response_.send();
  out_->flush();
}

void Exchange::send(std::string_view piece) {
  if (is_client_gone()) throw ClientGone();
  out_->write(piece.data(), static_cast<std::streamsize>(piece.size()));
  out_->flush();
  if (!out_->good()) {
    is_gone_ = true;
    throw ClientGone();
  }
}

Poco::Net::WebSocket Exchange::upgrade(std::string_view subprotocol) {
  using Poco::Net::WebSocket;
  const Poco::StringTokenizer offered(
      header("Sec-WebSocket-Protocol"), ",",
      Poco::StringTokenizer::TOK_TRIM | Poco::StringTokenizer::TOK_IGNORE_EMPTY);
  const std::string name(subprotocol);
  if (offered.has(name)) set_header("Sec-WebSocket-Protocol", name);
  try {
    WebSocket socket(request_, response_);
    has_begun_ = true;
    record_.status = 101;
    return socket;
  } catch (const Poco::Net::WebSocketException& error) {
    response_.erase("Sec-WebSocket-Protocol");
    if (error.code() == WebSocket::WS_ERR_NO_HANDSHAKE ||
        error.code() == WebSocket::WS_ERR_HANDSHAKE_UNSUPPORTED_VERSION) {
      set_header("Upgrade", "websocket");
      set_header("Sec-WebSocket-Version", WebSocket::WEBSOCKET_VERSION);
      throw ApiError(426, "This is a WebSocket (RFC 6455); open it as one.", {},
                     "upgrade_required");
    }
    throw ApiError(400, "The WebSocket's handshake lacks its key or version.");
  }
}

}  // namespace whisper_s4y::server
