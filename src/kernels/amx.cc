#include "kernels/amx.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <hwy/base.h>
#include <sys/syscall.h>
#include <unistd.h>
// False alarms in the compiler's own header: GCC bug 105593.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

namespace whisper_s4y {
namespace {

/// CPUID.7.0:EDX, and the component of the processor's state that holds the tiles.
constexpr unsigned kHasTiles = 1U << 24;
constexpr unsigned kHasTilesOfBytes = 1U << 25;
constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
constexpr long kStateOfTiles = 18;

bool find_amx() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kHasTiles) == 0 || (d & kHasTilesOfBytes) == 0) return false;
  // The system makes room for 8 KB more of each thread's state only when it is asked.
  return ::syscall(SYS_arch_prctl, kRequestPermission, kStateOfTiles) == 0;
}

}  // namespace

bool has_amx() {
  static const bool has = find_amx();
  return has;
}

}  // namespace whisper_s4y

HWY_PUSH_ATTRIBUTES("amx-tile,amx-int8")
namespace whisper_s4y {
namespace {

// Half of the rows are a tile: of activations, and of sums of sixteen outputs. Sixteen steps of
// sixteen outputs of a panel are another.
constexpr size_t kRowsOfTile = kAmxRows / 2;
constexpr size_t kOutputsOfTile = 16;
constexpr size_t kStepsOfTile = kAmxColumns / 4;
constexpr int kBytesOfLine = 64;
constexpr int kBytesOfStep = kPanelOutputs * 4;  // of a panel
constexpr int kBytesOfSums = kPanelOutputs * 4;  // of a row
static_assert(kRowsOfTile <= 16);

/// As LDTILECFG reads it.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t line_bytes[16] = {kBytesOfLine, kBytesOfLine, kBytesOfLine, kBytesOfLine,
                             kBytesOfLine, kBytesOfLine, kBytesOfLine, kBytesOfLine};
  uint8_t lines[16] = {kRowsOfTile, kRowsOfTile, kRowsOfTile, kRowsOfTile,
                       kRowsOfTile, kRowsOfTile, kRowsOfTile, kStepsOfTile};
};
static_assert(sizeof(TileConfig) == 64);

/// The last tile is of a panel, with bytes the last two.
constexpr TileConfig config_of(AmxNumbers numbers) {
  TileConfig config;
  if (numbers == AmxNumbers::bytes) config.lines[6] = kStepsOfTile;
  return config;
}

// GCC 12 gives constructors and destructors none of the attributes above.

void use_tiles(AmxNumbers numbers) {
  // In memory for good: compilers know of the first bytes only that they are read.
  static constexpr TileConfig kOfBytes = config_of(AmxNumbers::bytes);
  static constexpr TileConfig kOfShorts = config_of(AmxNumbers::shorts);
  _tile_loadconfig(numbers == AmxNumbers::bytes ? &kOfBytes : &kOfShorts);
}

void release_tiles() { _tile_release(); }

}  // namespace

AmxScope::AmxScope(AmxNumbers numbers) { use_tiles(numbers); }

AmxScope::~AmxScope() { release_tiles(); }

void multiply_bytes_amx(const uint8_t* rows, size_t stride, const int8_t* panel, size_t columns,
                        int32_t* sums) {
  const auto row_bytes = static_cast<int>(stride);
  const uint8_t* const second_rows = rows + kRowsOfTile * stride;
  for (size_t output = 0; output < kPanelOutputs; output += 2 * kOutputsOfTile) {
    const int8_t* weights = panel + output * 4;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t column = 0; column < columns; column += kAmxColumns) {
      _tile_loadd(4, rows + column, row_bytes);
      _tile_loadd(6, weights, kBytesOfStep);
      _tile_dpbusd(0, 4, 6);
      _tile_loadd(7, weights + kOutputsOfTile * 4, kBytesOfStep);
      _tile_dpbusd(1, 4, 7);
      _tile_loadd(5, second_rows + column, row_bytes);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
      weights += kStepsOfTile * kBytesOfStep;
    }
    int32_t* const first = sums + output;
    int32_t* const second = first + kRowsOfTile * kPanelOutputs;
    _tile_stored(0, first, kBytesOfSums);
    _tile_stored(1, first + kOutputsOfTile, kBytesOfSums);
    _tile_stored(2, second, kBytesOfSums);
    _tile_stored(3, second + kOutputsOfTile, kBytesOfSums);
  }
}

void multiply_shorts_amx(const SplitRows& rows, const SplitPanel& panel, size_t columns,
                         const SplitSums& sums) {
  const auto row_bytes = static_cast<int>(rows.stride);
  const uint8_t* const second_rows = rows.numbers + kRowsOfTile * rows.stride;
  for (size_t output = 0; output < kPanelOutputs; output += kOutputsOfTile) {
    const uint8_t* weights = panel.numbers + output * 4;
    _tile_zero(0);  // high, middle and low of the first rows
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);  // of the second
    _tile_zero(4);
    _tile_zero(5);
    for (size_t column = 0; column < columns; column += kAmxColumns) {
      const uint8_t* const first = rows.numbers + column;
      const uint8_t* const second = second_rows + column;
      _tile_loadd(7, weights, kBytesOfStep);  // upper halves
      _tile_loadd(6, first, row_bytes);
      _tile_dpbssd(0, 6, 7);
      _tile_loadd(6, first + rows.lower, row_bytes);
      _tile_dpbusd(1, 6, 7);
      _tile_loadd(6, second, row_bytes);
      _tile_dpbssd(3, 6, 7);
      _tile_loadd(6, second + rows.lower, row_bytes);
      _tile_dpbusd(4, 6, 7);
      _tile_loadd(7, weights + panel.lower, kBytesOfStep);
      _tile_loadd(6, first, row_bytes);
      _tile_dpbsud(1, 6, 7);
      _tile_loadd(6, first + rows.lower, row_bytes);
      _tile_dpbuud(2, 6, 7);
      _tile_loadd(6, second, row_bytes);
      _tile_dpbsud(4, 6, 7);
      _tile_loadd(6, second + rows.lower, row_bytes);
      _tile_dpbuud(5, 6, 7);
      weights += kStepsOfTile * kBytesOfStep;
    }
    constexpr size_t kSecond = kRowsOfTile * kPanelOutputs;
    _tile_stored(0, sums.high + output, kBytesOfSums);
    _tile_stored(1, sums.middle + output, kBytesOfSums);
    _tile_stored(2, sums.low + output, kBytesOfSums);
    _tile_stored(3, sums.high + kSecond + output, kBytesOfSums);
    _tile_stored(4, sums.middle + kSecond + output, kBytesOfSums);
    _tile_stored(5, sums.low + kSecond + output, kBytesOfSums);
  }
}

}  // namespace whisper_s4y
HWY_POP_ATTRIBUTES

#else

namespace whisper_s4y {

bool has_amx() { return false; }
AmxScope::AmxScope(AmxNumbers) {}
AmxScope::~AmxScope() = default;
void multiply_bytes_amx(const uint8_t*, size_t, const int8_t*, size_t, int32_t*) {}
void multiply_shorts_amx(const SplitRows&, const SplitPanel&, size_t, const SplitSums&) {}

}  // namespace whisper_s4y

#endif
