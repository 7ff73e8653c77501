#include "common/npy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

class Npy : public ::testing::Test {
 protected:
  std::string written(std::vector<int64_t> shape, std::vector<float> values) const {
    write_npy(path_, shape, values);
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::filesystem::path path_ =
      std::filesystem::path(::testing::TempDir()) /
      ("npy_test_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
       ".npy");
};

TEST_F(Npy, HeaderAndNumbersStandWhereNumpyExpectsThem) {
  const std::string file = written({1, 2, 3}, {0, 1, 2, 3, 4, -5.5F});
  ASSERT_EQ(file.size(), 128U + 6 * 4);
  EXPECT_EQ(file.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(file.substr(8, 2), std::string("\x76\x00", 2)) << "118 bytes of header";
  EXPECT_EQ(file.substr(10, 62), "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }");
  EXPECT_EQ(file[127], '\n');
  float last = 0;
  std::memcpy(&last, file.data() + 128 + 20, 4);
  EXPECT_EQ(last, -5.5F);
}

TEST_F(Npy, OneExtentIsStillATuple) {
  EXPECT_NE(written({2}, {1, 2}).find("'shape': (2,), }"), std::string::npos);
}

TEST_F(Npy, AScalarHasNoExtents) {
  EXPECT_NE(written({}, {1}).find("'shape': (), }"), std::string::npos);
}

TEST_F(Npy, RefusesAShapeOfAnotherSize) {
  EXPECT_THROW(written({2, 2}, {1, 2, 3}), Error);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace whisper_s4y
