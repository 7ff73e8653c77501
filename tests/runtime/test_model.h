// Small .tflite files for the tests of the runtime, built with the product's own writer.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph/ops.h"
#include "support/files.h"
#include "tflite/writer.h"

namespace whisper_s4y {

/// Signatures over one weight matrix w[i][j] = scale * (i + 1) (j == i) and a bias of ones:
///   dense:  x f32[1,64] -> y f32[1,64] = w x + 1
///   dense3: x f32[3,64] -> y f32[3,64], the same three times
///   update: cache f32[1,8,4], row f32[1,1,4], at i32[3] -> new_cache f32[1,8,4]
///   count:  start i32[1] -> end i32[1], the first power-of-two multiple of start above 1000
void write_test_model(const std::filesystem::path& path, float scale = 1.0F);

}  // namespace whisper_s4y
