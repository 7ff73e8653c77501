#include "cli/sound_source.h"
#include "common/fail.h"

#ifdef WHISPER_S4Y_ALSA
#include <alsa/asoundlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#endif

namespace whisper_s4y {

#ifdef WHISPER_S4Y_ALSA

namespace {

constexpr unsigned kLatencyUs = 100000;  // of ALSA's buffer

// ALSA prints what goes wrong; our own message says it.
void say_nothing(const char*, int, const char*, int, const char*, ...) {}

class Microphone : public SoundSource {
 public:
  explicit Microphone(const std::string& device) : device_(device) {
    snd_lib_error_set_handler(say_nothing);
    int status = snd_pcm_open(&pcm_, device.c_str(), SND_PCM_STREAM_CAPTURE, 0);
    if (status < 0) {
      fail(ErrorCode::io,
           "Cannot open the sound device \"{}\": {}. `arecord -L` lists the devices; sound from "
           "elsewhere can be piped in with -.",
           device, snd_strerror(status));
    }
    status = snd_pcm_set_params(pcm_, SND_PCM_FORMAT_FLOAT, SND_PCM_ACCESS_RW_INTERLEAVED, 1,
                                kSampleRate, 1, kLatencyUs);
    if (status < 0) {
      snd_pcm_close(pcm_);
      fail(ErrorCode::io, "The sound device \"{}\" does not record mono at 16 kHz: {}.", device,
           snd_strerror(status));
    }
  }
  ~Microphone() override { snd_pcm_close(pcm_); }
  Microphone(const Microphone&) = delete;
  Microphone& operator=(const Microphone&) = delete;

  size_t read(std::span<float> samples) override {
    for (;;) {
      if (lost_ > 0) return give_silence(samples);
      const snd_pcm_sframes_t got = snd_pcm_readi(pcm_, samples.data(), samples.size());
      if (got > 0) {
        given_ += got;
        return static_cast<size_t>(got);
      }
      // After an overrun some sound is lost; its time is not.
      const int status = snd_pcm_recover(pcm_, static_cast<int>(got), 1);
      if (status < 0) {
        fail(ErrorCode::io, "Recording from \"{}\" failed: {}.", device_, snd_strerror(status));
      }
      const std::chrono::duration<double> since_start = std::chrono::steady_clock::now() - start_;
      lost_ = std::max(0L, std::lround(since_start.count() * kSampleRate) - given_);
    }
  }

 private:
  size_t give_silence(std::span<float> samples) {
    const auto count = std::min(lost_, static_cast<long>(samples.size()));
    std::fill_n(samples.begin(), count, 0.0F);
    lost_ -= count;
    given_ += count;
    return static_cast<size_t>(count);
  }

  std::string device_;
  snd_pcm_t* pcm_ = nullptr;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  long given_ = 0;  // samples
  long lost_ = 0;   // of them, still to be given as silence
};

}  // namespace

std::unique_ptr<SoundSource> open_microphone(const std::string& device) {
  return std::make_unique<Microphone>(device);
}

#else

std::unique_ptr<SoundSource> open_microphone(const std::string& device) {
  fail(ErrorCode::io,
       "Cannot open the sound device \"{}\": whisper-s4y was built without ALSA (libasound2-dev). "
       "Pipe the sound in: arecord -f S16_LE -r 16000 -t raw | whisper-s4y listen MODEL -",
       device);
}

#endif

}  // namespace whisper_s4y
