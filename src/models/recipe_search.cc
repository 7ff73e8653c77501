#include "models/recipe_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

using enum WeightFormat;

/// At the first layer, after a third and two thirds of the layers, and at the last one.
using ByDepth = std::array<double, 4>;

/// What a matrix costs when it is int4 and all else float32, in thousandths of a nat a token.
struct Sensitivity {
  std::string_view kind;
  ByDepth int4;
};
/// What an int4 embedding costs by the number of its int8 tokens.
struct EmbeddingCost {
  int int8_tokens;
  double cost;
};
/// Measured with one model; see docs/quantization.md.
struct Sensitivities {
  std::array<Sensitivity, 6> encoder;
  std::array<Sensitivity, 10> decoder;
  std::array<EmbeddingCost, 7> embedding;
};
constexpr Sensitivities kTiny = {.encoder = {{{"self_attn.q_proj", {0.07, 0.12, 0.10, 0.11}},
                                              {"self_attn.k_proj", {0.09, 0.21, 0.29, 0.20}},
                                              {"self_attn.v_proj", {2.82, 0.76, 0.57, 0.99}},
                                              {"self_attn.out_proj", {3.99, 0.56, 0.38, 0.77}},
                                              {"fc1", {1.07, 0.69, 0.92, 1.36}},
                                              {"fc2", {0.57, 0.70, 0.91, 6.68}}}},
                                 .decoder = {{{"self_attn.q_proj", {0.02, 0.02, 0.17, 0.14}},
                                              {"self_attn.k_proj", {0.02, 0.07, 0.09, 0.28}},
                                              {"self_attn.v_proj", {1.53, 0.34, 0.38, 0.52}},
                                              {"self_attn.out_proj", {0.35, 0.15, 0.23, 0.26}},
                                              {"encoder_attn.q_proj", {0.01, 0.07, 0.36, 0.24}},
                                              {"encoder_attn.k_proj", {0.07, 0.12, 0.24, 0.26}},
                                              {"encoder_attn.v_proj", {0.48, 0.53, 0.64, 1.00}},
                                              {"encoder_attn.out_proj", {0.14, 0.27, 0.31, 0.83}},
                                              {"fc1", {0.27, 0.60, 0.85, 2.18}},
                                              {"fc2", {2.52, 0.59, 0.57, 5.91}}}},
                                 .embedding = {{{30000, 0.12},
                                                {20000, 0.15},
                                                {12000, 0.24},
                                                {8000, 0.38},
                                                {5000, 0.66},
                                                {2000, 0.82},
                                                {0, 7.1}}}};
constexpr Sensitivities kBase = {.encoder = {{{"self_attn.q_proj", {0.03, 0.04, 0.06, 0.13}},
                                              {"self_attn.k_proj", {0.05, 0.08, 0.12, 0.17}},
                                              {"self_attn.v_proj", {1.57, 0.31, 0.39, 0.45}},
                                              {"self_attn.out_proj", {1.49, 0.34, 0.35, 0.38}},
                                              {"fc1", {0.70, 0.45, 0.50, 0.72}},
                                              {"fc2", {0.34, 0.24, 1.07, 1.02}}}},
                                 .decoder = {{{"self_attn.q_proj", {0.03, 0.01, 0.04, 0.04}},
                                              {"self_attn.k_proj", {0.02, 0.04, 0.06, 0.13}},
                                              {"self_attn.v_proj", {0.64, 0.08, 0.19, 0.37}},
                                              {"self_attn.out_proj", {0.31, 0.09, 0.11, 0.19}},
                                              {"encoder_attn.q_proj", {0.01, 0.03, 0.09, 0.24}},
                                              {"encoder_attn.k_proj", {0.03, 0.08, 0.14, 0.31}},
                                              {"encoder_attn.v_proj", {0.18, 0.12, 0.31, 1.04}},
                                              {"encoder_attn.out_proj", {0.06, 0.09, 0.18, 0.91}},
                                              {"fc1", {0.12, 0.27, 0.58, 1.73}},
                                              {"fc2", {0.34, 0.81, 0.40, 2.92}}}},
                                 .embedding = {{{30000, 0.22},
                                                {20000, 0.24},
                                                {12000, 0.36},
                                                {8000, 0.43},
                                                {5000, 0.50},
                                                {2000, 0.83},
                                                {0, 18.0}}}};
constexpr int kWiderThanTiny = 448;  // d_model that is nearer to base's

/// int8 costs so much less; the attention of the encoder's first layer more than anything else, as
/// activations are int8 too.
constexpr double kInt8Part = 1.0 / 100;
constexpr double kFirstAttentionInt8 = 0.04;
constexpr std::string_view kAttention = "self_attn";

constexpr double kConvolutionsInt8 = 0.05;
constexpr std::string_view kConvolutions[] = {"encoder.conv1", "encoder.conv2"};
constexpr std::string_view kConvolutionPattern = "encoder.conv*";

constexpr double kEmbeddingInt8 = 0.1;
constexpr int kHalfTokens = 1000;  // of an int8 embedding; or none
constexpr double kEmbeddingWithHalves = 0.05;
constexpr int kTokenStep = 1000;  // an int4 embedding has whole thousands of int8 tokens
constexpr int kFewTokens = 2000;  // or so many at least, or none

/// Of what a file of float16 has, `mixed` has so much; beside the matrices that is about kRest.
constexpr double kMixedPart = 0.4;
constexpr double kRest = 4.4e6;  // bytes: scales, vocabulary, front end, positions, graphs

constexpr double kNegligible = 20e3;  // bytes of a file that are not worth another try

struct Level {
  WeightFormat format;
  int int8_tokens = 0;  // of an int4 embedding
  int half_tokens = 0;  // of an int8 embedding
  double bytes = 0;
  double cost = 0;
};

/// What has one format: a matrix, both convolutions, the embedding.
struct Item {
  std::string name;
  std::vector<Level> levels;  // from large to small
  size_t level = 0;           // chosen
};

double bytes_of(WeightFormat format, double rows, double columns) {
  switch (format) {
    case f32:
      return 4 * rows * columns;
    case f16:
      return 2 * rows * columns;
    case i8:
      return rows * columns + 4 * rows;
    case i4:
      break;
  }
  return rows * columns / 2 + rows * columns / kInt4Block * 2;
}

/// Between the measured depths on a straight line.
double at_depth(const ByDepth& costs, int layer, int layers) {
  if (layers == 1) return costs.back();
  const double place = static_cast<double>(layer) / (layers - 1) * (costs.size() - 1);
  const auto before = std::min(static_cast<size_t>(place), costs.size() - 2);
  const double rest = place - static_cast<double>(before);
  return costs[before] * (1 - rest) + costs[before + 1] * rest;
}

/// The cost of an int4 embedding with so many int8 tokens out of `words`, between the measured
/// numbers on a straight line.
double cost_of(std::span<const EmbeddingCost> costs, int int8_tokens, int words) {
  EmbeddingCost more{words, kEmbeddingInt8};
  for (const EmbeddingCost& fewer : costs) {
    if (fewer.int8_tokens >= more.int8_tokens) continue;
    if (fewer.int8_tokens <= int8_tokens) {
      const double part = static_cast<double>(int8_tokens - fewer.int8_tokens) /
                          (more.int8_tokens - fewer.int8_tokens);
      return fewer.cost + part * (more.cost - fewer.cost);
    }
    more = fewer;
  }
  return more.cost;
}

class Search {
 public:
  Search(const Checkpoint& checkpoint, bool has_int4) : has_int4_(has_int4) {
    const ModelConfig& config = checkpoint.info.config;
    const Sensitivities& costs = config.d_model < kWiderThanTiny ? kTiny : kBase;
    add_side(checkpoint, "encoder", config.encoder_layers, costs.encoder);
    add_side(checkpoint, "decoder", config.decoder_layers, costs.decoder);
    add_convolutions(checkpoint);
    add_embedding(checkpoint, costs.embedding);
    for (Item& item : items_) drop_useless(item.levels);
  }

  void choose_largest() {
    for (Item& item : items_) item.level = 0;
  }
  void choose_smallest() {
    for (Item& item : items_) item.level = item.levels.size() - 1;
  }

  /// The smallest cost within so many bytes, or nearly: goes down from the largest by the steps
  /// that cost least for what they save, then takes back what was not needed.
  void choose(double bytes) {
    struct Step {
      size_t item, level;  // the level it leads to
      double saved, price;
    };
    std::vector<Step> steps;
    for (size_t i = 0; i < items_.size(); ++i) {
      const std::vector<Level>& levels = items_[i].levels;
      for (size_t l = 1; l < levels.size(); ++l) {
        steps.push_back(
            {i, l, levels[l - 1].bytes - levels[l].bytes, price(levels[l - 1], levels[l])});
      }
    }
    // An item's prices only rise: its steps keep their order.
    std::ranges::stable_sort(steps, {}, &Step::price);
    choose_largest();
    double size = chosen_bytes();
    size_t taken = 0;
    while (size > bytes && taken < steps.size()) {
      items_[steps[taken].item].level = steps[taken].level;
      size -= steps[taken++].saved;
    }
    while (taken > 0) {
      const Step& step = steps[--taken];
      Item& item = items_[step.item];
      if (item.level != step.level || size + step.saved > bytes) continue;
      item.level = step.level - 1;
      size += step.saved;
    }
  }

  [[nodiscard]] double chosen_bytes() const {
    return std::accumulate(items_.begin(), items_.end(), 0.0, [](double sum, const Item& item) {
      return sum + item.levels[item.level].bytes;
    });
  }

  [[nodiscard]] double chosen_cost() const {
    return std::accumulate(items_.begin(), items_.end(), 0.0, [](double sum, const Item& item) {
      return sum + item.levels[item.level].cost;
    });
  }

  [[nodiscard]] WeightRecipe recipe() const {
    const bool all_halves =
        std::ranges::all_of(items_, [](const Item& item) { return item.level == 0; });
    if (all_halves) return recipe_of_name(name_of(f16));
    WeightRecipe recipe{.encoder = i8, .decoder = i8, .embedding = i8};
    std::map<std::string, std::vector<const Item*>> kinds;  // by the pattern of all layers
    for (const Item& item : items_) {
      const Level& level = item.levels[item.level];
      if (item.name.empty()) {
        recipe.embedding = level.format;
        recipe.embedding_int8_tokens = level.int8_tokens;
        recipe.embedding_fp16_tokens = level.half_tokens;
      } else if (item.name == kConvolutionPattern) {
        if (level.format == i8) recipe.exceptions.emplace_back(item.name, i8);
      } else {
        kinds[pattern_of(item.name)].push_back(&item);
      }
    }
    for (const auto& [pattern, layers] : kinds) add_exceptions(recipe, pattern, layers);
    return recipe;
  }

 private:
  void add_side(const Checkpoint& checkpoint, std::string_view side, int layers,
                std::span<const Sensitivity> kinds) {
    for (int layer = 0; layer < layers; ++layer) {
      for (const Sensitivity& kind : kinds) {
        const std::string name = fmt::format("{}.layers.{}.{}", side, layer, kind.kind);
        const TensorView& tensor = checkpoint.tensor(name + ".weight");
        const auto rows = static_cast<double>(tensor.shape.at(0));
        const auto columns = static_cast<double>(tensor.shape.at(1));
        const double int4 = at_depth(kind.int4, layer, layers);
        const bool is_first = side == "encoder" && layer == 0 && kind.kind.starts_with(kAttention);
        Item item{.name = name, .levels = {{.format = f16, .bytes = bytes_of(f16, rows, columns)}}};
        item.levels.push_back({.format = i8,
                               .bytes = bytes_of(i8, rows, columns),
                               .cost = is_first ? kFirstAttentionInt8 : kInt8Part * int4});
        if (has_blocks(tensor)) {
          item.levels.push_back({.format = i4, .bytes = bytes_of(i4, rows, columns), .cost = int4});
        }
        items_.push_back(std::move(item));
      }
    }
  }

  void add_convolutions(const Checkpoint& checkpoint) {
    Item item{.name = std::string(kConvolutionPattern), .levels = {{f16}, {i8}}};
    for (const std::string_view name : kConvolutions) {
      const TensorView& tensor = checkpoint.tensor(std::string(name) + ".weight");
      const auto rows = static_cast<double>(tensor.shape.at(0));
      const auto columns = static_cast<double>(tensor.shape.at(1) * tensor.shape.at(2));
      for (Level& level : item.levels) level.bytes += bytes_of(level.format, rows, columns);
    }
    // With int8 convolutions the positions are computed instead of stored.
    const ModelConfig& config = checkpoint.info.config;
    item.levels[0].bytes += bytes_of(f16, config.max_source_positions, config.d_model);
    item.levels[1].cost = kConvolutionsInt8;
    items_.push_back(std::move(item));
  }

  void add_embedding(const Checkpoint& checkpoint, std::span<const EmbeddingCost> costs) {
    const TensorView& tensor = checkpoint.tensor("decoder.embed_tokens.weight");
    const double matrices = checkpoint.has("proj_out.weight") ? 2 : 1;
    const auto rows = static_cast<double>(tensor.shape.at(0));
    const auto columns = static_cast<double>(tensor.shape.at(1));
    const auto bytes = [&](WeightFormat format, double count) {
      return matrices * bytes_of(format, count, columns);
    };
    Item item{.name = {}, .levels = {{.format = f16, .bytes = bytes(f16, rows)}}};
    if (rows > kHalfTokens) {
      item.levels.push_back({.format = i8,
                             .half_tokens = kHalfTokens,
                             .bytes = bytes(f16, kHalfTokens) + bytes(i8, rows - kHalfTokens),
                             .cost = kEmbeddingWithHalves});
    }
    item.levels.push_back({.format = i8, .bytes = bytes(i8, rows), .cost = kEmbeddingInt8});
    const int words = checkpoint.info.generation.eos_token_id;
    const auto add_int4 = [&](int int8_tokens, double int4_rows) {
      item.levels.push_back({.format = i4,
                             .int8_tokens = int8_tokens,
                             .bytes = bytes(i8, rows - int4_rows) + bytes(i4, int4_rows),
                             .cost = cost_of(costs, int8_tokens, words)});
    };
    if (has_blocks(tensor)) {
      for (int tokens = (words - 1) / kTokenStep * kTokenStep; tokens > kFewTokens;
           tokens -= kTokenStep) {
        add_int4(tokens, words - tokens);
      }
      if (words > kFewTokens) add_int4(kFewTokens, words - kFewTokens);
      add_int4(0, rows);
    }
    items_.push_back(std::move(item));
  }

  [[nodiscard]] bool has_blocks(const TensorView& tensor) const {
    return has_int4_ && tensor.shape.at(1) % kInt4Block == 0;
  }

  /// What a saved byte costs.
  static double price(const Level& from, const Level& to) {
    return (to.cost - from.cost) / (from.bytes - to.bytes);
  }

  /// Leaves out levels whose bytes cost more than those of the next one.
  static void drop_useless(std::vector<Level>& levels) {
    for (size_t l = 1; l + 1 < levels.size();) {
      if (price(levels[l - 1], levels[l]) > price(levels[l], levels[l + 1])) {
        levels.erase(levels.begin() + static_cast<ptrdiff_t>(l));
        if (l > 1) --l;
      } else {
        ++l;
      }
    }
  }

  /// "decoder.layers.3.fc1" -> "decoder.layers.*.fc1".
  static std::string pattern_of(const std::string& matrix) {
    constexpr std::string_view kLayers = ".layers.";
    const size_t at = matrix.find(kLayers) + kLayers.size();
    return matrix.substr(0, at) + "*" + matrix.substr(matrix.find('.', at));
  }

  /// One exception for the format that most layers have, and one for each layer with another.
  static void add_exceptions(WeightRecipe& recipe, const std::string& pattern,
                             const std::vector<const Item*>& layers) {
    const auto format_of = [](const Item* item) { return item->levels[item->level].format; };
    std::map<WeightFormat, int> counts;
    for (const Item* item : layers) ++counts[format_of(item)];
    const WeightFormat usual =
        std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; })->first;
    if (usual != i8) recipe.exceptions.emplace_back(pattern, usual);
    for (const Item* item : layers) {
      if (format_of(item) != usual) recipe.exceptions.emplace_back(item->name, format_of(item));
    }
  }

  bool has_int4_;
  std::vector<Item> items_;
};

}  // namespace

WeightRecipe mixed_recipe(const Checkpoint& checkpoint) {
  Search search(checkpoint, /*has_int4=*/true);
  search.choose_largest();
  search.choose(kMixedPart * (search.chosen_bytes() + kRest) - kRest);
  return search.recipe();
}

WeightRecipe recipe_of_name(std::string_view name, const Checkpoint& checkpoint) {
  return name == kMixed ? mixed_recipe(checkpoint) : recipe_of_name(name);
}

WeightRecipe recipe_for_size(const Checkpoint& checkpoint, uint64_t target,
                             Compatibility compatibility,
                             const std::function<uint64_t(const WeightRecipe&)>& file_size) {
  Search search(checkpoint, compatibility == Compatibility::litert);
  search.choose_smallest();
  const WeightRecipe smallest = search.recipe();
  const uint64_t least = file_size(smallest);
  if (target < least) {
    fail(ErrorCode::invalid_argument,
         "{} does not fit into {:.1f} MB: its smallest file has {:.1f} MB.", checkpoint.info.name,
         std::floor(static_cast<double>(target) / 1e5) / 10,
         std::ceil(static_cast<double>(least) / 1e5) / 10);
  }
  // What the file has beside the chosen numbers is nearly the same for all recipes.
  double rest = static_cast<double>(least) - search.chosen_bytes();
  WeightRecipe best = smallest;
  double best_cost = search.chosen_cost();
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    search.choose(static_cast<double>(target) - rest);
    const WeightRecipe recipe = search.recipe();
    const uint64_t size = file_size(recipe);
    if (size <= target && search.chosen_cost() < best_cost) {
      best = recipe;
      best_cost = search.chosen_cost();
    }
    const double found = static_cast<double>(size) - search.chosen_bytes();
    if (size <= target && std::abs(found - rest) < kNegligible) break;
    rest = found;
  }
  return best;
}

}  // namespace whisper_s4y
