// A file from anywhere can only be read: nothing is opened on its behalf.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "audio/formats.h"
#include "test_files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

/// Sees whoever opens a file.
class Watch {
 public:
  explicit Watch(const std::filesystem::path& path)
      : descriptor_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    ::inotify_add_watch(descriptor_, path.c_str(), IN_OPEN | IN_ACCESS);
  }
  ~Watch() { ::close(descriptor_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  [[nodiscard]] bool saw_something() const {
    std::array<char, 4096> events{};
    return ::read(descriptor_, events.data(), events.size()) > 0;
  }

 private:
  int descriptor_;
};

/// A server that nobody should call.
class Server {
 public:
  Server() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(descriptor_, 4) != 0 ||
        ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no server on the loopback address");
    }
    port_ = ntohs(address.sin_port);
  }
  ~Server() { ::close(descriptor_); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] bool was_called() const {
    const int client = ::accept(descriptor_, nullptr, nullptr);
    if (client >= 0) ::close(client);
    return client >= 0;
  }

 private:
  int descriptor_;
  int port_ = 0;
};

std::string message_of(const std::filesystem::path& path) {
  try {
    (void)load_audio(path);
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

class Isolation : public ::testing::Test {
 protected:
  Isolation() { write_wav(folder / "secret.wav", 16000, 1, std::vector<int16_t>(16000, 1000)); }

  void write(const std::string& name, const std::string& text) const {
    write_bytes(folder / name, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  /// The file is refused, in memory as well, and neither the other file nor the server is touched.
  void expect_refused(const std::string& name, const std::string& text) const {
    write(name, text);
    const Watch watch(folder / "secret.wav");
    EXPECT_THAT(message_of(folder / name), HasSubstr("names other files or addresses")) << name;
    EXPECT_THROW((void)load_audio(std::as_bytes(std::span(text)), name), Error);
    EXPECT_FALSE(watch.saw_something()) << name;
    EXPECT_FALSE(server.was_called()) << name;
  }

  TemporaryFolder folder;
  Server server;
};

TEST_F(Isolation, TheWatchSees) {
  const Watch watch(folder / "secret.wav");
  EXPECT_FALSE(watch.saw_something());
  (void)load_audio(folder / "secret.wav");
  EXPECT_TRUE(watch.saw_something());
}

TEST_F(Isolation, Playlists) {
  const std::string head = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n";
  const std::string end = "\n#EXT-X-ENDLIST\n";
  for (const std::string& target :
       {std::string("secret.wav"), (folder / "secret.wav").string(),
        "file:" + (folder / "secret.wav").string(), "http://" + server.address() + "/a.ts",
        "subfile,,start,0,end,0,,:" + (folder / "secret.wav").string()}) {
    expect_refused("list.m3u8", head + target + end);
    expect_refused("talk.wav", head + target + end);
  }
}

TEST_F(Isolation, ListsOfFiles) {
  expect_refused("list.ffconcat", "ffconcat version 1.0\nfile secret.wav\n");
  expect_refused("talk.mp3",
                 "ffconcat version 1.0\nfile '" + (folder / "secret.wav").string() + "'\n");
}

TEST_F(Isolation, SessionDescriptions) {
  expect_refused("call.sdp",
                 "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                 "m=audio 5004 RTP/AVP 0\n");
}

TEST_F(Isolation, Manifests) {
  expect_refused("talk.mpd",
                 "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                 "profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\" type=\"static\" "
                 "mediaPresentationDuration=\"PT5S\"><Period><AdaptationSet "
                 "contentType=\"audio\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>http://" +
                     server.address() +
                     "/a.mp4</BaseURL></Representation></AdaptationSet>"
                     "</Period></MPD>");
}

// The FFmpeg of the Python wheel knows neither: its sentence is that of Debian's, which does.
TEST(Lists, AreRefusedAlikeByEveryFfmpeg) {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"sdp", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\n"},
      {"dash", "<?xml version=\"1.0\"?>\n<MPD type=\"static\">"},
      {"imf", "<?xml version=\"1.0\"?>\n<CompositionPlaylist><ContentTitle>x</ContentTitle>"},
  };
  for (const auto& [name, text] : texts) {
    const std::vector<uint8_t> bytes(text.begin(), text.end());
    const auto found = refusal_of_list(bytes);
    ASSERT_TRUE(found.has_value()) << name;
    if (const AVInputFormat* format = av_find_input_format(name.c_str())) {
      EXPECT_EQ(*found, refusal(*format)) << name;
    }
  }
  const std::string text = "This is no list: c=IN IP4 127.0.0.1 stands in its first line.";
  EXPECT_EQ(refusal_of_list(std::vector<uint8_t>(text.begin(), text.end())), std::nullopt);
}

TEST_F(Isolation, OtherFormatsAreNamed) {
  write("talk.srt",
        "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:03,000 --> "
        "00:00:04,000\nBye.\n");
  EXPECT_THAT(message_of(folder / "talk.srt"), HasSubstr("SubRip"));
}

TEST_F(Isolation, NamesAreNoProtocols) {
  const Watch watch(folder / "secret.wav");
  EXPECT_THAT(message_of("concat:" + (folder / "secret.wav").string()),
              HasSubstr("No such file or directory"));
  EXPECT_THAT(message_of("http://" + server.address() + "/a.wav"),
              HasSubstr("No such file or directory"));
  EXPECT_FALSE(watch.saw_something());
  EXPECT_FALSE(server.was_called());
}

}  // namespace
}  // namespace whisper_s4y
