// Products of bytes a tile at a time, on processors that have a unit for it (AMX, from Sapphire
// Rapids on), which neither Highway nor a compiler takes by itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/panel_layout.h"

namespace whisper_s4y {

/// Whether this processor has the unit, and the system lets the program use it.
[[nodiscard]] bool has_amx();

/// Columns of rows and panels that are taken at once: fill up with zeros what is less.
inline constexpr size_t kAmxColumns = 64;

/// Rows that a product takes at once. Those that are not needed must be readable all the same.
inline constexpr size_t kAmxRows = 4 * kTileRows;

/// What is multiplied.
enum class AmxNumbers { bytes, shorts };

/// Products of these are computed in the thread, and in the life, of one of these.
class AmxScope {
 public:
  explicit AmxScope(AmxNumbers numbers);
  ~AmxScope();
  AmxScope(const AmxScope&) = delete;
  AmxScope& operator=(const AmxScope&) = delete;
};

/// kAmxRows rows of bytes without a sign, `stride` apart, times a panel: number j of row r goes to
/// sums[r * kPanelOutputs + j]. `columns` is a multiple of kAmxColumns.
void multiply_bytes_amx(const uint8_t* rows, size_t stride, const int8_t* panel, size_t columns,
                        int32_t* sums);

/// Integers of 16 bits as two planes of bytes: the upper halves, which have the sign, and `lower`
/// bytes after them the lower halves.
struct SplitRows {
  const uint8_t* numbers;
  size_t stride;  // bytes from one row to the next
  size_t lower;
};
struct SplitPanel {
  const uint8_t* numbers;
  size_t lower;
};

/// The same with integers of 16 bits, of which the sums are parts: 65536 * high + 256 * middle +
/// low. Each has kAmxRows * kPanelOutputs numbers.
struct SplitSums {
  int32_t* high;
  int32_t* middle;
  int32_t* low;
};
void multiply_shorts_amx(const SplitRows& rows, const SplitPanel& panel, size_t columns,
                         const SplitSums& sums);

}  // namespace whisper_s4y
