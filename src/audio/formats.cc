#include "audio/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace whisper_s4y {
namespace {

// FFmpeg's names of the demuxers; of one with several names any.
constexpr auto kAllowed = std::to_array<std::string_view>(
    {"aac",  "ac3", "act",  "aiff", "alaw",     "amr",  "amrnb",  "amrwb",      "ape",   "aptx",
     "asf",  "au",  "avi",  "caf",  "codec2",   "dsf",  "dss",    "dts",        "dv",    "eac3",
     "flac", "flv", "g722", "g726", "g723_1",   "g729", "gsm",    "gxf",        "iff",   "ilbc",
     "loas", "mlp", "mov",  "mp3",  "matroska", "mpc",  "mpc8",   "mpeg",       "mxf",   "mpegts",
     "nsv",  "nut", "ogg",  "oma",  "mulaw",    "paf",  "pvf",    "nistsphere", "ircam", "qcp",
     "rm",   "sbc", "shn",  "sln",  "sox",      "tak",  "truehd", "dtshd",      "tta",   "voc",
     "w64",  "wav", "wsd",  "wtv",  "wv",       "xwma", "s16le",  "f32le"});

// Those that name what else to open.
constexpr auto kLists = std::to_array<std::string_view>(
    {"hls", "dash", "webm_dash_manifest", "concat", "sdp", "rtsp", "rtp", "image2", "imf"});

// FFmpeg writes several names with commas between.
template <typename Names>
bool is_one_of(std::string_view format, const Names& names) {
  while (!format.empty()) {
    const std::string_view name = format.substr(0, format.find(','));
    if (std::ranges::find(names, name) != names.end()) return true;
    format.remove_prefix(std::min(format.size(), name.size() + 1));
  }
  return false;
}

// Lists that are read by builds of FFmpeg with a network or with libxml2 alone: FFmpeg's names for
// people, and what it knows them by (libavformat sdp_probe, dash_probe, imf_probe).
struct List {
  std::string_view long_name;
  std::string_view mark;
};
constexpr auto kOtherLists = std::to_array<List>({
    {"SDP", "\nc=IN IP"},
    {"Dynamic Adaptive Streaming over HTTP", "<MPD"},
    {"IMF (Interoperable Master Format)", "<CompositionPlaylist"},
});

std::string refusal_of_list(std::string_view long_name) {
  return fmt::format(
      "it is no recording but names other files or addresses ({}), which are not opened; give "
      "the recording itself",
      long_name);
}

}  // namespace

bool is_allowed(const AVInputFormat& format) { return is_one_of(format.name, kAllowed); }

std::string refusal(const AVInputFormat& format) {
  if (is_one_of(format.name, kLists)) return refusal_of_list(format.long_name);
  return fmt::format("it is not an audio or video file this program reads but {} ({})",
                     format.long_name, format.name);
}

std::optional<std::string> refusal_of_list(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const List& list : kOtherLists) {
    if (text.find(list.mark) != text.npos) return refusal_of_list(list.long_name);
  }
  return std::nullopt;
}

}  // namespace whisper_s4y
