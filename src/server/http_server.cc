#include "server/http_server.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <new>
#include <utility>

#include "server/connections.h"
#include "server/exchange.h"
#include "server/listen_at.h"
#include "server/routes.h"
#include "server/sockets.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y::server {
namespace {

namespace net = Poco::Net;

constexpr std::chrono::seconds kIdle{15};  // between two requests

net::HTTPServerParams::Ptr parameters(const ServeOptions& options) {
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  params->setMaxThreads(options.max_connections);
  params->setMaxQueued(options.max_connections);
  params->setKeepAlive(true);
  params->setKeepAliveTimeout(timespan(kIdle));
  params->setTimeout(timespan(std::chrono::duration<double>(options.read_timeout)));
  params->setSoftwareVersion(fmt::format("whisper-s4y/{}", kVersion));
  return params;
}

}  // namespace

struct HttpServer::Impl {
  Impl(Services& services_, const Access& access_)
      : services(services_),
        access(access_),
        limits{.request_timeout = std::chrono::duration<double>(services.options.request_timeout),
               .read_timeout = std::chrono::duration<double>(services.options.read_timeout),
               .max_body = int64_t{services.options.max_upload} << 20},
        connections(new Connections(services.options.max_connections, limits.read_timeout, kIdle)),
        threads(2, services.options.max_connections + 1),
        socket(listen_at(services.options.host, services.options.port)),
        server(new Factory(*this), threads, socket, parameters(services.options)) {
    server.setConnectionFilter(connections);
  }

  class Handler : public net::HTTPRequestHandler {
   public:
    explicit Handler(Impl& impl) : impl_(impl) {}
    void handleRequest(net::HTTPServerRequest& request,
                       net::HTTPServerResponse& response) override {
      impl_.serve(dynamic_cast<net::HTTPServerRequestImpl&>(request), response);
    }

   private:
    Impl& impl_;
  };

  class Factory : public net::HTTPRequestHandlerFactory {
   public:
    explicit Factory(Impl& impl) : impl_(impl) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest& request) override {
      impl_.connections->begin_request(request.clientAddress());
      // With the usual status the library asks for the body before anybody has seen the header: the
      // exchange does when the body is read.
      if (request.getExpectContinue()) {
        request.response().setStatus(net::HTTPResponse::HTTP_CONTINUE);
      }
      return new Handler(impl_);
    }

   private:
    Impl& impl_;
  };

  void serve(net::HTTPServerRequestImpl& request, net::HTTPServerResponse& response) {
    const net::SocketAddress client = request.clientAddress();
    if (const std::optional<ApiError> fault = fault_of(request)) {
      refuse(*fault, client, response);
      return;
    }
    ++active;
    {
      Exchange exchange(request, response, new_request_id(), limits, stopping);
      std::string route = "none";
      answer(exchange, route);
      RequestRecord& record = exchange.record();
      record.seconds = exchange.seconds();
      services.metrics.observe_request(route, record.status, record.seconds);
      services.log.write(record);
    }
    --active;
    connections->end_request(client);
  }

  /// What is no request is answered and cut off.
  void refuse(const ApiError& fault, const net::SocketAddress& client,
              net::HTTPServerResponse& response) {
    const RequestRecord record{.id = new_request_id(),
                               .client = client.host().toString(),
                               .protocol = "http",
                               .status = fault.status(),
                               .error = fault.what()};
    try {
      const std::string body = fault.to_json();
      response.setVersion(net::HTTPMessage::HTTP_1_1);
      response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(fault.status()));
      response.setKeepAlive(false);
      response.setContentType("application/json");
      response.set("X-Request-Id", record.id);
      response.sendBuffer(body.data(), body.size());
    } catch (const Poco::Exception&) {
      connections->end_request(client);  // it has gone
    }
    services.metrics.observe_request("none", record.status, 0);
    services.log.write(record);
  }

  /// Whatever goes wrong ends here: as an answer, or where that has begun, as its last event.
  void answer(Exchange& exchange, std::string& route) {
    try {
      try {
        dispatch(exchange, route);
      } catch (const ApiError& error) {
        refuse(exchange, error);
      } catch (const Error& error) {
        refuse(exchange, api_error_of(error));
      } catch (const std::bad_alloc&) {
        refuse(exchange, ApiError(503, "The server is out of memory.").retry_after(5));
      }
    } catch (const ClientGone&) {
      exchange.record().status = kClientGone;
    } catch (const Poco::Exception& error) {  // of the connection
      exchange.record().status = kClientGone;
      exchange.record().error = error.displayText();
    } catch (const std::exception& error) {
      report(exchange, error.what());
    }
  }

  void dispatch(Exchange& exchange, std::string& route) {
    access.allow_origin(exchange);
    if (exchange.method() == "OPTIONS") {
      route = "preflight";
      access.answer_preflight(exchange, methods_at(exchange.path()));
      return;
    }
    const Route& found = find_route(exchange);
    route = found.path;
    if (found.needs_key) access.check_key(exchange);
    if (found.needs_models && !services.ready) {
      throw ApiError(503, "The server is loading its models; try again soon.", {}, "loading")
          .retry_after(1);
    }
    found.handler(exchange, services);
  }

  static void refuse(Exchange& exchange, const ApiError& error) {
    if (!exchange.has_begun()) {
      exchange.answer(error);
      return;
    }
    exchange.record().status = error.status();
    exchange.record().error = error.what();
    exchange.send(fmt::format("event: error\ndata: {}\n\n", error.to_json()));
  }

  /// What nobody has foreseen is a fault of ours: it is in the log.
  static void report(Exchange& exchange, const char* what) {
    exchange.record().error = what;
    exchange.record().status = 500;
    if (!exchange.has_begun()) refuse(exchange, ApiError(500, "The server has failed."));
  }

  Services& services;
  const Access& access;
  ExchangeLimits limits;
  Poco::AutoPtr<Connections> connections;
  std::atomic<int> active = 0;
  std::function<bool()> stopping = [this] { return services.stopping.load(); };
  Poco::ThreadPool threads;
  net::ServerSocket socket;
  net::HTTPServer server;
};

HttpServer::HttpServer(Services& services, const Access& access)
    : impl_(std::make_unique<Impl>(services, access)) {
  impl_->server.start();
}

HttpServer::~HttpServer() { stop(); }

int HttpServer::port() const { return impl_->socket.address().port(); }

int HttpServer::connections() const { return impl_->connections->count(); }

void HttpServer::sweep() { impl_->connections->sweep(); }

void HttpServer::stop_accepting() {
  impl_->server.stop();
  impl_->socket.close();
}

int HttpServer::active_requests() const { return impl_->active; }

void HttpServer::stop() {
  impl_->server.stop();
  impl_->connections->cut_all();
  impl_->server.stopAll(/*abortCurrent=*/false);
  impl_->threads.joinAll();
}

}  // namespace whisper_s4y::server
