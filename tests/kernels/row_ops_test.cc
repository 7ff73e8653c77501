#include "kernels/row_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "targets_test.h"

namespace whisper_s4y {
namespace {

constexpr size_t kOdd = 37;  // no whole number of vectors

std::vector<float> ramp(size_t count, float first, float last) {
  std::vector<float> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    numbers[i] = first + (last - first) * static_cast<float>(i) / static_cast<float>(count - 1);
  }
  return numbers;
}

TEST(RowOpsTest, LayerNormHasMeanZeroAndVarianceOne) {
  const std::vector<float> in = ramp(kOdd, 3.0F, 11.0F);
  const std::vector<float> gain = ramp(kOdd, 0.5F, 2.0F);
  const std::vector<float> bias = ramp(kOdd, -1.0F, 1.0F);
  double mean = 0;
  for (const float x : in) mean += x / static_cast<double>(kOdd);
  double variance = 0;
  for (const float x : in) variance += (x - mean) * (x - mean) / static_cast<double>(kOdd);
  for_each_target([&] {
    std::vector<float> out(kOdd);
    layer_norm(in, gain, bias, out);
    for (size_t i = 0; i < kOdd; ++i) {
      EXPECT_NEAR(out[i], (in[i] - mean) / std::sqrt(variance + 1e-5) * gain[i] + bias[i], 1e-5);
    }
  });
}

TEST(RowOpsTest, GeluIsThatOfErf) {
  const std::vector<float> in = ramp(2001, -8.0F, 8.0F);
  for_each_target([&] {
    std::vector<float> out = in;
    gelu(out);
    for (size_t i = 0; i < in.size(); ++i) {
      const double x = in[i];
      EXPECT_NEAR(out[i], x / 2 * (1 + std::erf(x / std::sqrt(2.0))), 1e-6) << x;
    }
  });
}

TEST(RowOpsTest, SoftmaxAddsUpToOne) {
  for (const size_t count : {size_t{1}, size_t{3}, kOdd}) {
    const std::vector<float> in = ramp(count + 1, -200.0F, 90.0F);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(in[i]) - 90.0);
    for_each_target([&] {
      std::vector<float> out(in.begin(), in.begin() + static_cast<ptrdiff_t>(count));
      softmax(out);
      for (size_t i = 0; i < count; ++i) {
        EXPECT_NEAR(out[i], std::exp(static_cast<double>(in[i]) - 90.0) / sum, 1e-6);
      }
    });
  }
}

}  // namespace
}  // namespace whisper_s4y
