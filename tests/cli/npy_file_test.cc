#include "cli/npy_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>

namespace whisper_s4y {
namespace {

TEST(NpyFile, IsWhatNumpyReads) {
  const auto path = std::filesystem::temp_directory_path() / "whisper-s4y-npy-test.npy";
  {
    OutputFile file(path);
    write_npy_header(file, {2, 3});
    write_npy_numbers(file, std::vector<float>{1, 2, 3, 4, 5, 6});
    file.commit();
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::filesystem::remove(path);
  // numpy.lib.format, version 1.0
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const size_t length = static_cast<unsigned char>(bytes[8]) +
                        256 * static_cast<size_t>(static_cast<unsigned char>(bytes[9]));
  const size_t begin = 10 + length;
  EXPECT_EQ(begin % 64, 0U);
  const std::string header = bytes.substr(10, length);
  EXPECT_TRUE(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}"))
      << header;
  EXPECT_EQ(header.back(), '\n');
  ASSERT_EQ(bytes.size(), begin + 6 * sizeof(float));
  float last = 0;
  std::memcpy(&last, bytes.data() + begin + 5 * sizeof(float), sizeof last);
  EXPECT_EQ(last, 6.0F);
}

}  // namespace
}  // namespace whisper_s4y
