#include "conversion/describe.h"

namespace whisper_s4y {

Json describe_audio(const std::filesystem::path& path, const AudioInfo& info) {
  Json description = {{"file", path.string()},
                      {"format", info.format},
                      {"seconds", info.seconds},
                      {"audio_tracks", Json::array()}};
  for (const AudioTrack& track : info.tracks) {
    description["audio_tracks"].push_back({{"number", track.number},
                                           {"main", track.is_main},
                                           {"codec", track.codec},
                                           {"language", track.language},
                                           {"title", track.title},
                                           {"sample_rate", track.sample_rate},
                                           {"channels", track.channels},
                                           {"start", track.start},
                                           {"seconds", track.seconds}});
  }
  return description;
}

}  // namespace whisper_s4y
