#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/inspect.h"
#include "cli/progress.h"
#include "common/utf8.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

std::string described(const AudioTrack& track) {
  std::string line = fmt::format("{} Hz, {} channel{}", track.sample_rate, track.channels,
                                 track.channels == 1 ? "" : "s");
  if (track.seconds > 0) line += ", " + format_duration(track.seconds);
  if (track.start > 0.005) line += fmt::format(" from {:.2f} s on", track.start);
  if (!track.title.empty()) line += fmt::format(", \"{}\"", visible(track.title));
  return line;
}

}  // namespace

void inspect_audio_file(const std::filesystem::path& path, bool json) {
  const AudioInfo info = inspect_audio(path);
  if (json) {
    print_json(describe_audio(path, info));
    return;
  }
  print_out("{}: a recording ({}){}\n", visible(path.string()), info.format,
            info.seconds > 0 ? ", " + format_duration(info.seconds) : "");
  for (const AudioTrack& track : info.tracks) {
    print_out("  audio track {}{}  {:<4} {:<10} {}\n", track.number, track.is_main ? "*" : " ",
              visible(track.language), track.codec, described(track));
  }
  if (info.tracks.size() > 1) print_out("  * is transcribed unless --audio-track names another\n");
}

}  // namespace whisper_s4y
