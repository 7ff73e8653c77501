// Which constants of a file hold which weights of the checkpoint, and what was done to them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tflite/reader.h"

namespace whisper_s4y {

/// A constant that holds rows of a weight. Of a file without such entries, and of weights without
/// one, the constant has the weight's own name and holds it as it is.
struct StoredWeight {
  std::string weight;     // its name in the checkpoint
  std::string constant;   // name of a tensor; "" for the sinusoids of positions, which are computed
  int64_t first_row = 0;  // of the weight
  float factor = 1;       // the weight was multiplied by it
  bool taps_first = false;     // a kernel [n, inputs, taps] stored as [n, taps, inputs]
  std::string row_scales;      // if any: the constant of a scale for each row, float32
  std::string block_scales;    // if any: that of the scales of a row's blocks, float16; int4, also
                               // where the tensor is one of bytes with two of these each
  bool spread = false;         // ColumnSpreading of the rows follows the scales,
  std::string column_factors;  // if any: that of what columns are multiplied by then, float32,
  std::string column_offsets;  // if any: that of what is added to columns at last, float32

  friend bool operator==(const StoredWeight&, const StoredWeight&) = default;
};

/// As metadata kWeightsMetadata of a file.
[[nodiscard]] std::string to_json(const std::vector<StoredWeight>& weights);

/// Those of a file; nothing when it has no such metadata, as files from before it. Throws Error
/// naming the file and the entry for what is no such list.
[[nodiscard]] std::optional<std::vector<StoredWeight>> read_stored_weights(const TfliteFile& file);

}  // namespace whisper_s4y
