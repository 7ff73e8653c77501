#include "server/form.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTMLForm.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/Net/NameValueCollection.h>
#include <Poco/Net/PartHandler.h>
#include <Poco/String.h>
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <chrono>
#include <istream>
#include <utility>

#include "common/utf8.h"
#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

constexpr int kMostFields = 200;
constexpr int kMostFieldBytes = 1 << 18;
// A smaller file is best read as a whole.
constexpr int64_t kLarge = 1 << 20;  // bytes
// Who computes with what has come waits for the rest no longer than that.
constexpr std::chrono::seconds kPatience{5};

// Clients may send paths, of either kind.
std::string last_part(const std::string& name) {
  return valid_utf8(name.substr(name.find_last_of("/\\") + 1));
}

void copy_fields(const Poco::Net::HTMLForm& from, Form& form) {
  form.fields.clear();
  for (const auto& [name, value] : from) form.fields.emplace_back(name, value);
}

void ignore(std::istream& stream) {
  std::array<char, 1 << 15> waste{};
  while (stream.read(waste.data(), waste.size()) || stream.gcount() > 0) continue;
}

/// Takes the file while it comes.
class FileTaker : public Poco::Net::PartHandler {
  using Clock = std::chrono::steady_clock;

 public:
  FileTaker(const Poco::Net::HTMLForm& fields, Form& form, const std::filesystem::path& folder,
            const OnArrivingFile& on_file, std::chrono::duration<double> soon)
      : fields_(fields),
        form_(form),
        folder_(folder),
        on_file_(on_file),
        soon_(std::chrono::duration_cast<Clock::duration>(soon)) {}

  void handlePart(const Poco::Net::MessageHeader& header, std::istream& stream) override {
    std::string kind;
    Poco::Net::NameValueCollection parameters;
    Poco::Net::MessageHeader::splitParameters(header.get("Content-Disposition", ""), kind,
                                              parameters);
    if (parameters.get("name", "") != "file") {
      ignore(stream);
      return;
    }
    if (form_.file) throw ApiError(400, "The form has two files.", "file");
    form_.file_name = last_part(parameters.get("filename", ""));
    form_.file = std::make_shared<Upload>(folder_);
    const auto file = std::make_shared<ArrivingFile>(stream, *form_.file, kPatience);
    const Clock::time_point soon = Clock::now() + soon_;
    while ((form_.file->size() < kLarge || Clock::now() < soon) && file->take()) {
      continue;
    }
    if (on_file_ && !file->is_complete()) {
      copy_fields(fields_, form_);
      on_file_(form_, file);
    }
    while (file->take()) continue;
  }

 private:
  const Poco::Net::HTMLForm& fields_;
  Form& form_;
  const std::filesystem::path& folder_;
  const OnArrivingFile& on_file_;
  Clock::duration soon_;
};

// The last boundary has two more hyphens; without it something is missing.
void check_complete(const std::string& content_type, const BodyBuffer& body) {
  std::string type;
  Poco::Net::NameValueCollection parameters;
  Poco::Net::MessageHeader::splitParameters(content_type, type, parameters);
  const std::string end = "--" + parameters.get("boundary", "") + "--";
  constexpr size_t kSlack = 16;  // line ends
  if (!body.ends_in(end, kSlack)) {
    throw ApiError(400, "The form breaks off: its last boundary is missing.");
  }
}

// What follows the last boundary.
void read_rest(BodyBuffer& body) {
  std::array<char, 1 << 12> waste{};
  while (body.sgetn(waste.data(), waste.size()) > 0) continue;
}

}  // namespace

std::optional<std::string> Form::find(std::string_view name) const {
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (field->first == name && !field->second.empty()) return field->second;
  }
  return std::nullopt;
}

std::vector<std::string> Form::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields) {
    if ((key == name || key == fmt::format("{}[]", name)) && !value.empty()) {
      values.push_back(value);
    }
  }
  return values;
}

Form read_form(const std::string& content_type, BodyBuffer& body,
               const std::filesystem::path& folder, const OnArrivingFile& on_file,
               std::chrono::duration<double> soon) {
  Form form;
  const std::string type = Poco::toLower(content_type.substr(0, content_type.find(';')));
  const bool multipart = type.starts_with("multipart/form-data");
  if (!multipart && !type.starts_with("application/x-www-form-urlencoded")) {
    throw ApiError(415,
                   "The request must be a form: multipart/form-data with the recording as "
                   "`file`.");
  }
  Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_POST, "/");
  request.setContentType(content_type);
  std::istream stream(&body);
  Poco::Net::HTMLForm fields;
  FileTaker files(fields, form, folder, on_file, soon);
  fields.setFieldLimit(kMostFields);
  fields.setValueLengthLimit(kMostFieldBytes);
  try {
    fields.load(request, stream, files);
    read_rest(body);
  } catch (const Poco::Exception& error) {
    body.rethrow();  // why it was cut short
    if (multipart && body.is_complete()) check_complete(content_type, body);
    throw ApiError(400,
                   fmt::format("The form cannot be read: {}.", valid_utf8(error.displayText())));
  }
  body.rethrow();
  if (multipart) check_complete(content_type, body);
  copy_fields(fields, form);
  return form;
}

}  // namespace whisper_s4y::server
