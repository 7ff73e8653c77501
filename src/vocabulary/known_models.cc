#include "vocabulary/known_models.h"

#include <array>
#include <span>
#include <string>

namespace whisper_s4y {
namespace {

struct Published {
  std::string_view name;
  int encoder_layers, decoder_layers, d_model, heads, mels;
  bool english_only;
};

constexpr Published kPublished[] = {
    {"tiny", 4, 4, 384, 6, 80, false},
    {"tiny.en", 4, 4, 384, 6, 80, true},
    {"base", 6, 6, 512, 8, 80, false},
    {"base.en", 6, 6, 512, 8, 80, true},
    {"small", 12, 12, 768, 12, 80, false},
    {"small.en", 12, 12, 768, 12, 80, true},
    {"medium", 24, 24, 1024, 16, 80, false},
    {"medium.en", 24, 24, 1024, 16, 80, true},
    {"large", 32, 32, 1280, 20, 80, false},
    {"large-v3", 32, 32, 1280, 20, 128, false},
    {"large-v3-turbo", 32, 4, 1280, 20, 128, false},
    {"distil-small.en", 12, 4, 768, 12, 80, true},
    {"distil-medium.en", 24, 2, 1024, 16, 80, true},
    {"distil-large-v2", 32, 2, 1280, 20, 80, false},
    {"distil-large-v3", 32, 2, 1280, 20, 128, false},
};

struct Head {
  int layer, head;
};
struct Heads {
  std::string_view model;
  std::array<Head, 24> heads;  // ends with the first {0, 0}: no model aligns by that head
};

constexpr Heads kAlignmentHeads[] = {
    {"tiny.en", {{{1, 0}, {2, 0}, {2, 5}, {3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 4}}}},
    {"tiny", {{{2, 2}, {3, 0}, {3, 2}, {3, 3}, {3, 4}, {3, 5}}}},
    {"base.en", {{{3, 3}, {4, 7}, {5, 1}, {5, 5}, {5, 7}}}},
    {"base", {{{3, 1}, {4, 2}, {4, 3}, {4, 7}, {5, 1}, {5, 2}, {5, 4}, {5, 6}}}},
    {"small.en",
     {{{6, 6},
       {7, 0},
       {7, 3},
       {7, 8},
       {8, 2},
       {8, 5},
       {8, 7},
       {9, 0},
       {9, 4},
       {9, 8},
       {9, 10},
       {10, 0},
       {10, 1},
       {10, 2},
       {10, 3},
       {10, 6},
       {10, 11},
       {11, 2},
       {11, 4}}}},
    {"small", {{{5, 3}, {5, 9}, {8, 0}, {8, 4}, {8, 7}, {8, 8}, {9, 0}, {9, 7}, {9, 9}, {10, 5}}}},
    {"medium.en",
     {{{11, 4},
       {14, 1},
       {14, 12},
       {14, 14},
       {15, 4},
       {16, 0},
       {16, 4},
       {16, 9},
       {17, 12},
       {17, 14},
       {18, 7},
       {18, 10},
       {18, 15},
       {20, 0},
       {20, 3},
       {20, 9},
       {20, 14},
       {21, 12}}}},
    {"medium", {{{13, 15}, {15, 4}, {15, 15}, {16, 1}, {20, 0}, {23, 4}}}},
    {"large-v1",
     {{{9, 19}, {11, 2}, {11, 4}, {11, 17}, {22, 7}, {22, 11}, {22, 17}, {23, 2}, {23, 15}}}},
    {"large-v2", {{{10, 12}, {13, 17}, {16, 11}, {16, 12}, {16, 13}, {17, 15}, {17, 16}, {18, 4},
                   {18, 11}, {18, 19}, {19, 11}, {21, 2},  {21, 3},  {22, 3},  {22, 9},  {22, 12},
                   {23, 5},  {23, 7},  {23, 13}, {25, 5},  {26, 1},  {26, 12}, {27, 15}}}},
    {"large-v3",
     {{{7, 0},
       {10, 17},
       {12, 18},
       {13, 12},
       {16, 1},
       {17, 14},
       {19, 11},
       {21, 4},
       {24, 1},
       {25, 6}}}},
    {"large-v3-turbo", {{{2, 4}, {2, 11}, {3, 3}, {3, 6}, {3, 11}, {3, 14}}}},
};

}  // namespace

std::string_view known_model_name(const ModelConfig& c, bool is_multilingual,
                                  const std::filesystem::path& path) {
  for (const Published& p : kPublished) {
    if (p.encoder_layers != c.encoder_layers || p.decoder_layers != c.decoder_layers ||
        p.d_model != c.d_model || p.heads != c.encoder_attention_heads ||
        p.heads != c.decoder_attention_heads || p.mels != c.num_mel_bins ||
        p.english_only == is_multilingual) {
      continue;
    }
    if (p.name == "large") {
      const std::string text = path.string();
      if (text.find("large-v1") != std::string::npos) return "large-v1";
      if (text.find("large-v2") != std::string::npos) return "large-v2";
    }
    return p.name;
  }
  return {};
}

std::vector<std::pair<int, int>> known_alignment_heads(std::string_view model) {
  std::vector<std::pair<int, int>> pairs;
  for (const Heads& known : kAlignmentHeads) {
    if (known.model != model) continue;
    for (const Head& head : known.heads) {
      if (head.layer == 0 && head.head == 0) break;
      pairs.emplace_back(head.layer, head.head);
    }
  }
  return pairs;
}

std::vector<std::pair<int, int>> default_alignment_heads(const ModelConfig& config) {
  std::vector<std::pair<int, int>> pairs;
  for (int layer = config.decoder_layers / 2; layer < config.decoder_layers; ++layer) {
    for (int head = 0; head < config.decoder_attention_heads; ++head) {
      pairs.emplace_back(layer, head);
    }
  }
  return pairs;
}

}  // namespace whisper_s4y
