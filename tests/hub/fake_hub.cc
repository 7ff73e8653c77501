#include "hub/fake_hub.h"

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <thread>

namespace whisper_s4y {

struct FakeHub::Server {
  httplib::Server http;
  std::thread thread;
  int port = 0;
};

namespace {

void serve(FakeHub::File& file, httplib::Response& response) {
  if (!file.failures.empty()) {
    response.status = file.failures.front();
    if (!file.retry_after.empty()) response.set_header("Retry-After", file.retry_after);
    file.failures.erase(file.failures.begin());
    return;
  }
  if (!file.linked_etag.empty()) response.set_header("X-Linked-Etag", '"' + file.linked_etag + '"');
  if (!file.redirect.empty()) {
    response.set_redirect(file.redirect);
    return;
  }
  if (!file.etag.empty()) response.set_header("ETag", '"' + file.etag + '"');
  if (file.truncate_first > 0) {
    const size_t count = file.truncate_first;
    file.truncate_first = 0;
    response.set_content_provider(file.content.size(), "application/octet-stream",
                                  [&file, count](size_t offset, size_t, httplib::DataSink& sink) {
                                    if (offset >= count) return false;  // breaks the connection
                                    sink.write(file.content.data() + offset, count - offset);
                                    return true;
                                  });
    return;
  }
  response.set_content(file.content, "application/octet-stream");
}

}  // namespace

FakeHub::FakeHub(std::string repository)
    : repository_(std::move(repository)), server_(std::make_unique<Server>()) {
  const auto guard = [this](const httplib::Request& request, httplib::Response& response) {
    requests_.push_back({request.path, request.get_header_value("Range"),
                         request.get_header_value("If-Range"),
                         request.get_header_value("Authorization")});
    if (!required_token.empty() &&
        request.get_header_value("Authorization") != "Bearer " + required_token) {
      response.status = 401;
      return false;
    }
    return true;
  };
  server_->http.Get(
      "/api/models/" + repository_ + "/revision/main",
      [this, guard](const httplib::Request& request, httplib::Response& response) {
        const std::lock_guard lock(mutex_);
        if (!guard(request, response)) return;
        response.status = listing_status;
        nlohmann::json siblings = nlohmann::json::array();
        for (const auto& [name, file] : files) {
          nlohmann::json item = {{"rfilename", name}, {"size", file.content.size()}};
          if (!file.listed_sha256.empty()) {
            item["lfs"] = {{"sha256", file.listed_sha256}};
          }
          if (!file.blob_id.empty()) item["blobId"] = file.blob_id;
          siblings.push_back(item);
        }
        response.set_content(nlohmann::json{{"siblings", siblings}}.dump(), "application/json");
      });
  server_->http.Get("/" + repository_ + "/resolve/main/(.*)",
                    [this, guard](const httplib::Request& request, httplib::Response& response) {
                      const std::lock_guard lock(mutex_);
                      if (!guard(request, response)) return;
                      const auto it = files.find(request.matches[1].str());
                      if (it == files.end()) {
                        response.status = 404;
                        return;
                      }
                      serve(it->second, response);
                      // What httplib does not find in the request it cannot honour.
                      const std::string if_range = request.get_header_value("If-Range");
                      const bool changed =
                          !if_range.empty() && if_range != '"' + it->second.etag + '"';
                      if (!it->second.ranges || changed) {
                        const_cast<httplib::Request&>(request).ranges.clear();
                      }
                    });
  server_->port = server_->http.bind_to_any_port("127.0.0.1");
  server_->thread = std::thread([this] { server_->http.listen_after_bind(); });
  while (!server_->http.is_running()) std::this_thread::yield();
}

FakeHub::~FakeHub() {
  server_->http.stop();
  server_->thread.join();
}

std::string FakeHub::address() const { return "http://127.0.0.1:" + std::to_string(server_->port); }

std::string FakeHub::file_address(const std::string& name) const {
  return address() + "/" + repository_ + "/resolve/main/" + name;
}

std::vector<FakeHub::Request> FakeHub::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<FakeHub::Request> FakeHub::requests_for(const std::string& name) const {
  std::vector<Request> found;
  for (const Request& request : requests()) {
    if (request.path.ends_with("/" + name)) found.push_back(request);
  }
  return found;
}

}  // namespace whisper_s4y
