#include "tflite/stored_weights.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/fail.h"
#include "common/parse_json.h"
#include "tflite/metadata_names.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::ordered_json;

constexpr JsonLimits kLimits = {.names = 1'000'000};  // up to seven of each matrix

constexpr const char* kWeight = "weight";
constexpr const char* kConstant = "constant";
constexpr const char* kFirstRow = "first_row";
constexpr const char* kFactor = "factor";
constexpr const char* kTapsFirst = "taps_first";
constexpr const char* kRowScales = "row_scales";
constexpr const char* kBlockScales = "block_scales";
constexpr const char* kSpread = "spread";
constexpr const char* kColumnFactors = "column_factors";
constexpr const char* kColumnOffsets = "column_offsets";
constexpr std::string_view kKeys[] = {kWeight,        kConstant,     kFirstRow,    kFactor,
                                      kTapsFirst,     kRowScales,    kBlockScales, kSpread,
                                      kColumnFactors, kColumnOffsets};

Json json_of(const StoredWeight& stored) {
  Json json{{kWeight, stored.weight}};
  const auto add_name = [&](const char* key, const std::string& name) {
    if (!name.empty()) json[key] = name;
  };
  add_name(kConstant, stored.constant);
  if (stored.first_row != 0) json[kFirstRow] = stored.first_row;
  if (stored.factor != 1) json[kFactor] = stored.factor;
  if (stored.taps_first) json[kTapsFirst] = true;
  add_name(kRowScales, stored.row_scales);
  add_name(kBlockScales, stored.block_scales);
  if (stored.spread) json[kSpread] = true;
  add_name(kColumnFactors, stored.column_factors);
  add_name(kColumnOffsets, stored.column_offsets);
  return json;
}

/// Reads the fields of one entry; whatever is not of its type is an Error.
StoredWeight stored_of(const nlohmann::json& json, const std::string& place) {
  StoredWeight stored;
  const auto expect = [&](bool good, const char* key) {
    if (!good) fail("{}: {} is damaged.", place, key);
  };
  const auto name = [&](const char* key, std::string& to) {
    const auto found = json.find(key);
    if (found == json.end()) return;
    expect(found->is_string(), key);
    to = found->get<std::string>();
  };
  expect(json.is_object(), "the entry");
  // Numbers would be wrong without what a later program did to them.
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(kKeys, key) == std::end(kKeys)) {
      fail("{}: \"{}\" is unknown to this program.", place, key);
    }
  }
  name(kWeight, stored.weight);
  expect(!stored.weight.empty(), kWeight);
  name(kConstant, stored.constant);
  name(kRowScales, stored.row_scales);
  name(kBlockScales, stored.block_scales);
  name(kColumnFactors, stored.column_factors);
  name(kColumnOffsets, stored.column_offsets);
  if (const auto row = json.find(kFirstRow); row != json.end()) {
    expect(row->is_number_unsigned() && row->get<uint64_t>() <= INT32_MAX, kFirstRow);
    stored.first_row = row->get<int64_t>();
  }
  if (const auto factor = json.find(kFactor); factor != json.end()) {
    expect(factor->is_number(), kFactor);
    stored.factor = factor->get<float>();
    expect(stored.factor > 0 && std::isfinite(1.0F / stored.factor), kFactor);
  }
  const auto flag = [&](const char* key, bool& to) {
    const auto found = json.find(key);
    if (found == json.end()) return;
    expect(found->is_boolean(), key);
    to = found->get<bool>();
  };
  flag(kTapsFirst, stored.taps_first);
  flag(kSpread, stored.spread);
  return stored;
}

}  // namespace

std::string to_json(const std::vector<StoredWeight>& weights) {
  Json json = Json::array();
  for (const StoredWeight& stored : weights) json.push_back(json_of(stored));
  return json.dump();
}

std::optional<std::vector<StoredWeight>> read_stored_weights(const TfliteFile& file) {
  if (!file.has_metadata(kWeightsMetadata)) return std::nullopt;
  const std::string source =
      fmt::format("{}: the metadata \"{}\"", file.path().string(), kWeightsMetadata);
  const auto json = parse_json<nlohmann::json>(file.metadata(kWeightsMetadata), source, kLimits);
  if (!json.is_array()) fail("{} is no JSON list.", source);
  std::vector<StoredWeight> weights;
  for (const nlohmann::json& entry : json) {
    weights.push_back(stored_of(entry, fmt::format("{}, entry {}", source, weights.size())));
  }
  return weights;
}

}  // namespace whisper_s4y
