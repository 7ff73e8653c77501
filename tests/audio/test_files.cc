#include "test_files.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numbers>
#include <stdexcept>

namespace whisper_s4y {
namespace {

template <typename T>
void append(std::vector<uint8_t>& out, T value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

void append(std::vector<uint8_t>& out, const char* text) {
  out.insert(out.end(), text, text + std::strlen(text));
}

template <typename T>
std::span<const uint8_t> bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace

void write_wav(const std::filesystem::path& path, WavNumbers numbers, int bits, int rate,
               int channels, std::span<const uint8_t> data) {
  const auto frame = static_cast<uint16_t>(channels * bits / 8);
  std::vector<uint8_t> file;
  append(file, "RIFF");
  append(file, static_cast<uint32_t>(36 + data.size()));
  append(file, "WAVEfmt ");
  append(file, uint32_t{16});
  append(file, static_cast<uint16_t>(numbers));
  append(file, static_cast<uint16_t>(channels));
  append(file, static_cast<uint32_t>(rate));
  append(file, static_cast<uint32_t>(rate) * frame);
  append(file, frame);
  append(file, static_cast<uint16_t>(bits));
  append(file, "data");
  append(file, static_cast<uint32_t>(data.size()));
  file.insert(file.end(), data.begin(), data.end());
  write_bytes(path, file);
}

void write_wav(const std::filesystem::path& path, int rate, int channels,
               std::span<const int16_t> samples) {
  write_wav(path, WavNumbers::pcm, 16, rate, channels, bytes_of(samples));
}

void write_wav(const std::filesystem::path& path, int rate, int channels,
               std::span<const float> samples) {
  write_wav(path, WavNumbers::ieee_float, 32, rate, channels, bytes_of(samples));
}

void write_bytes(const std::filesystem::path& path, std::span<const uint8_t> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

std::vector<uint8_t> read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<float> sine(double frequency, int rate, double seconds, double amplitude) {
  std::vector<float> samples(static_cast<size_t>(rate * seconds));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double phase = 2 * std::numbers::pi * frequency * static_cast<double>(i) / rate;
    samples[i] = static_cast<float>(amplitude * std::sin(phase));
  }
  return samples;
}

bool have_ffmpeg() {
  static const bool found = std::system("ffmpeg -version >/dev/null 2>&1") == 0;
  return found;
}

void ffmpeg(const std::string& arguments) {
  const std::string command = "ffmpeg -nostdin -y -loglevel error " + arguments;
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

std::filesystem::path recording(const std::string& name) {
  const auto path = shared_dir() / "speech" / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace whisper_s4y
