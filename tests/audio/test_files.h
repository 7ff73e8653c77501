// Audio files made by the tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "support/files.h"

namespace whisper_s4y {

enum class WavNumbers : uint16_t { pcm = 1, ieee_float = 3 };

/// A .wav file with interleaved `data` stored as it is.
void write_wav(const std::filesystem::path& path, WavNumbers numbers, int bits, int rate,
               int channels, std::span<const uint8_t> data);
void write_wav(const std::filesystem::path& path, int rate, int channels,
               std::span<const int16_t> samples);
void write_wav(const std::filesystem::path& path, int rate, int channels,
               std::span<const float> samples);
void write_bytes(const std::filesystem::path& path, std::span<const uint8_t> bytes);
std::vector<uint8_t> read_bytes(const std::filesystem::path& path);

/// amplitude * sin(2 pi frequency t), one channel.
std::vector<float> sine(double frequency, int rate, double seconds, double amplitude = 0.5);

/// Whether there is an ffmpeg command.
bool have_ffmpeg();
/// Runs ffmpeg quietly; throws when it fails.
void ffmpeg(const std::string& arguments);

/// A recording of goldens and speech, empty when they do not stand beside the checkout.
std::filesystem::path recording(const std::string& name);

}  // namespace whisper_s4y
