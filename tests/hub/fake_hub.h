// A hub for tests: a small HTTP server on the loopback address.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace whisper_s4y {

/// Serves one repository the way the real hub does: GET /api/models/ID/revision/main and
/// GET /ID/resolve/main/FILE with ranges. Faults are set per file before it is asked for.
class FakeHub {
 public:
  struct File {
    std::string content;
    std::string listed_sha256;  // in the listing's "lfs"; empty = not told
    std::string linked_etag;    // header X-Linked-Etag; empty = not sent
    std::string etag;           // header ETag, which If-Range is compared with; empty = not sent
    std::string blob_id;        // in the listing; empty = not told
    std::string retry_after;    // header of failures; empty = not sent
    std::string redirect;       // 302 to this address instead of the content
    bool ranges = true;         // whether Range is honoured
    std::vector<int> failures;  // statuses of the first answers
    size_t truncate_first = 0;  // the first answer breaks off after so many bytes
  };
  struct Request {
    std::string path;
    std::string range;
    std::string if_range;
    std::string authorization;
  };

  explicit FakeHub(std::string repository = "openai/whisper-tiny.en");
  ~FakeHub();
  FakeHub(const FakeHub&) = delete;
  FakeHub& operator=(const FakeHub&) = delete;

  /// http://127.0.0.1:PORT
  [[nodiscard]] std::string address() const;
  [[nodiscard]] std::string file_address(const std::string& name) const;

  std::map<std::string, File> files;  // not to be changed while a request runs
  std::string required_token;         // 401 without it
  int listing_status = 200;

  [[nodiscard]] std::vector<Request> requests() const;
  /// Requests for one file.
  [[nodiscard]] std::vector<Request> requests_for(const std::string& name) const;

 private:
  struct Server;

  std::string repository_;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::unique_ptr<Server> server_;
};

}  // namespace whisper_s4y
