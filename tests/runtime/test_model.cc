#include "runtime/test_model.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "whisper_s4y/error.h"

namespace whisper_s4y {

namespace {

constexpr int kSize = 64;

Value dense(Graph& g, const std::string& name, float scale, int rows) {
  std::vector<float> weights(kSize * kSize, 0.0F);
  for (int i = 0; i < kSize; ++i) weights[i * kSize + i] = scale * static_cast<float>(i + 1);
  const Value x = g.input("x", DType::f32, {rows, kSize});
  const Value w = g.constant(rows_of(name + ".weight", {kSize, kSize}, std::move(weights)));
  const Value b = g.constant(rows_of(name + ".bias", {kSize}, std::vector<float>(kSize, 1.0F)));
  return fully_connected(g, x, w, b);
}

}  // namespace

void write_test_model(const std::filesystem::path& path, float scale) {
  Module module;
  for (const auto& [key, rows] : {std::pair("dense", 1), std::pair("dense3", 3)}) {
    Graph& g = module.add_graph(key);
    module.add_signature(key, g, {{"y", dense(g, "w", scale, rows)}});
  }
  {
    Graph& g = module.add_graph("update");
    const Value cache = g.input("cache", DType::f32, {1, 8, 4});
    const Value row = g.input("row", DType::f32, {1, 1, 4});
    const Value at = g.input("at", DType::i32, {3});
    module.add_signature("update", g, {{"new_cache", dynamic_update_slice(g, cache, row, at)}});
  }
  {
    Graph& g = module.add_graph("count");
    Graph& condition = module.add_graph("count_condition");
    Graph& body = module.add_graph("count_body");
    const Value below =
        less(condition, condition.input("n", DType::i32, {1}), condition.constant_i32({1000}));
    condition.set_outputs({below});
    const Value n = body.input("n", DType::i32, {1});
    body.set_outputs({add(body, n, n)});
    const Value start = g.input("start", DType::i32, {1});
    module.add_signature("count", g, {{"end", while_loop(g, {start}, condition, body)[0]}});
  }
  module.drop_dead_code();
  write_tflite(module, path);
}

}  // namespace whisper_s4y
