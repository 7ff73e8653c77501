// Some rows of activations times a panel of outputs, as the registers hold it: the heart of
// products of many rows. For files that Highway compiles for each processor.
#if defined(WHISPER_S4Y_KERNELS_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WHISPER_S4Y_KERNELS_TILE_INL_H
#undef WHISPER_S4Y_KERNELS_TILE_INL_H
#else
#define WHISPER_S4Y_KERNELS_TILE_INL_H
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/panel_layout.h"

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::ScalableTag<float> kFloats;
constexpr size_t kLanes = hn::MaxLanes(kFloats);
using Floats = hn::Vec<decltype(kFloats)>;

// How outputs add up, for each form of numbers. kDepth numbers of a row of activations are taken at
// once, as 32 bits that all lanes get; each lane is an output and has its kDepth weights side by
// side.

struct OfFloats {
  using Number = float;
  using Row = float;
  static constexpr size_t kDepth = 1;
  using Weights = Floats;
  using Sums = Floats;
  static HWY_INLINE Sums zero() { return hn::Zero(kFloats); }
  static HWY_INLINE Weights weights(const float* at) { return hn::LoadU(kFloats, at); }
  static HWY_INLINE Floats same(const float* at) { return hn::Set(kFloats, *at); }
  static HWY_INLINE Sums add(Weights w, Floats x, Sums sums) { return hn::MulAdd(w, x, sums); }
  static HWY_INLINE Floats total(Sums sums) { return sums; }
};

#if HWY_TARGET == HWY_SCALAR

struct OfShorts {
  using Number = int16_t;
  using Row = int16_t;
  static constexpr size_t kDepth = 2;
  struct Pair {
    int32_t first, second;
  };
  using Weights = Pair;
  using Sums = int32_t;
  static Sums zero() { return 0; }
  static Pair weights(const int16_t* at) { return {at[0], at[1]}; }
  static Pair same(const int16_t* at) { return {at[0], at[1]}; }
  static Sums add(Pair w, Pair x, Sums sums) {
    return sums + w.first * x.first + w.second * x.second;
  }
  static Floats total(Sums sums) { return hn::Set(kFloats, static_cast<float>(sums)); }
};

#else

constexpr hn::RepartitionToNarrow<hn::RebindToSigned<decltype(kFloats)> > kShorts;
constexpr hn::RebindToSigned<decltype(kFloats)> kInts;
using Shorts = hn::Vec<decltype(kShorts)>;
using Ints = hn::Vec<decltype(kInts)>;

struct OfShorts {
  using Number = int16_t;
  using Row = int16_t;
  static constexpr size_t kDepth = 2;
  using Weights = Shorts;
  static HWY_INLINE Weights weights(const int16_t* at) { return hn::LoadU(kShorts, at); }
  static HWY_INLINE Shorts same(const int16_t* at) {
    int32_t pair;
    std::memcpy(&pair, at, sizeof(pair));
    return hn::BitCast(kShorts, hn::Set(kInts, pair));
  }
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
  using Sums = Ints;
  static HWY_INLINE Sums zero() { return hn::Zero(kInts); }
  static HWY_INLINE Sums add(Shorts w, Shorts x, Sums sums) {
    Sums none = hn::Zero(kInts);
    return hn::ReorderWidenMulAccumulate(kInts, w, x, sums, none);  // adds pairs side by side
  }
  static HWY_INLINE Floats total(Sums sums) { return hn::ConvertTo(kFloats, sums); }
#else
  struct Sums {
    Sums() = default;  // an implicit one is not compiled for the target
    HWY_INLINE Sums(Ints a, Ints b) : first(a), second(b) {}

    Ints first, second;
  };
  static HWY_INLINE Sums zero() { return {hn::Zero(kInts), hn::Zero(kInts)}; }
  static HWY_INLINE Sums add(Shorts w, Shorts x, Sums sums) {
    sums.first = hn::ReorderWidenMulAccumulate(kInts, w, x, sums.first, sums.second);
    return sums;
  }
  static HWY_INLINE Floats total(Sums sums) {
    return hn::ConvertTo(kFloats, hn::RearrangeToOddPlusEven(sums.first, sums.second));
  }
#endif
};

#endif

#if HWY_TARGET == HWY_AVX3

// Where the processor has VNNI, see vnni.h, of which Highway 1.0 has no operations. They are
// written as instructions so that the compiler, which may not count on VNNI elsewhere, takes them,
// and keeps sums in their registers.

struct OfShortsVnni : OfShorts {
  static HWY_INLINE Sums add(Shorts w, Shorts x, Sums sums) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sums.raw) : "v"(w.raw), "v"(x.raw));
    return sums;
  }
};

struct OfBytes {
  using Number = int8_t;
  using Row = uint8_t;
  static constexpr size_t kDepth = 4;
  using Weights = Ints;
  using Sums = Ints;
  static HWY_INLINE Sums zero() { return hn::Zero(kInts); }
  static HWY_INLINE Weights weights(const int8_t* at) {
    return hn::BitCast(kInts, hn::LoadU(hn::ScalableTag<int8_t>(), at));
  }
  static HWY_INLINE Ints same(const uint8_t* at) {
    int32_t four;
    std::memcpy(&four, at, sizeof(four));
    return hn::Set(kInts, four);
  }
  static HWY_INLINE Sums add(Weights w, Ints x, Sums sums) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sums.raw) : "v"(x.raw), "v"(w.raw));
    return sums;
  }
  static HWY_INLINE Floats total(Sums sums) { return hn::ConvertTo(kFloats, sums); }
};

#endif

/// Integers to their upper and lower bytes.
HWY_INLINE void split(const int16_t* in, size_t count, uint8_t* upper, uint8_t* lower) {
  const hn::ScalableTag<int16_t> shorts;
  const hn::RebindToUnsigned<decltype(shorts)> unsigned_shorts;
  const hn::Rebind<uint8_t, decltype(shorts)> bytes;
  size_t i = 0;
  for (; i + hn::MaxLanes(shorts) <= count; i += hn::MaxLanes(shorts)) {
    const auto both = hn::BitCast(unsigned_shorts, hn::LoadU(shorts, in + i));
    const auto low = hn::And(both, hn::Set(unsigned_shorts, 0xFF));
    const auto high = hn::ShiftRight<8>(both);
    hn::StoreU(hn::DemoteTo(bytes, hn::BitCast(shorts, low)), bytes, lower + i);
    hn::StoreU(hn::DemoteTo(bytes, hn::BitCast(shorts, high)), bytes, upper + i);
  }
  for (; i < count; ++i) {
    const auto both = static_cast<uint16_t>(in[i]);
    lower[i] = static_cast<uint8_t>(both);
    upper[i] = static_cast<uint8_t>(both >> 8);
  }
}

// As many sums as there are registers for, beside weights and activations.
constexpr size_t kTileVectors = kLanes == 16 ? 4 : 2;

// What is indexed by the counter of a loop is in registers only where the loop is unrolled, which
// GCC leaves at -O2.
#if HWY_COMPILER_CLANG
#define WHISPER_S4Y_UNROLL _Pragma("clang loop unroll(full)")
#else
#define WHISPER_S4Y_UNROLL _Pragma("GCC unroll 8")
#endif

/// kTileRows rows of activations, `stride` apart, times `steps` steps of a panel.
/// begin(row, column) gives the sums before, end(row, column, sums) takes them.
template <typename Of, typename Begin, typename End>
HWY_INLINE void tile(const typename Of::Row* rows, size_t stride, const typename Of::Number* panel,
                     size_t steps, const Begin& begin, const End& end) {
  for (size_t column = 0; column < kPanelOutputs; column += kTileVectors * kLanes) {
    typename Of::Sums sums[kTileRows][kTileVectors];
    WHISPER_S4Y_UNROLL
    for (size_t r = 0; r < kTileRows; ++r) {
      WHISPER_S4Y_UNROLL
      for (size_t v = 0; v < kTileVectors; ++v) sums[r][v] = begin(r, column + v * kLanes);
    }
    const typename Of::Number* at = panel + column * Of::kDepth;
    for (size_t step = 0; step < steps; ++step) {
      typename Of::Weights weights[kTileVectors];
      WHISPER_S4Y_UNROLL
      for (size_t v = 0; v < kTileVectors; ++v) {
        weights[v] = Of::weights(at + v * kLanes * Of::kDepth);
      }
      WHISPER_S4Y_UNROLL
      for (size_t r = 0; r < kTileRows; ++r) {
        const auto x = Of::same(rows + r * stride + step * Of::kDepth);
        WHISPER_S4Y_UNROLL
        for (size_t v = 0; v < kTileVectors; ++v) sums[r][v] = Of::add(weights[v], x, sums[r][v]);
      }
      at += kPanelOutputs * Of::kDepth;
    }
    WHISPER_S4Y_UNROLL
    for (size_t r = 0; r < kTileRows; ++r) {
      WHISPER_S4Y_UNROLL
      for (size_t v = 0; v < kTileVectors; ++v) end(r, column + v * kLanes, sums[r][v]);
    }
  }
}

/// The same from nothing: number j of row r goes to out[r * out_stride + j], or is added to it.
template <typename Of>
HWY_INLINE void tile_to(const typename Of::Row* rows, size_t stride,
                        const typename Of::Number* panel, size_t steps, float* out,
                        size_t out_stride, bool add) {
  const auto zero = [](size_t, size_t) HWY_ATTR { return Of::zero(); };
  if (add) {
    tile<Of>(rows, stride, panel, steps, zero,
             [&](size_t r, size_t column, typename Of::Sums sums) HWY_ATTR {
               float* to = out + r * out_stride + column;
               hn::StoreU(hn::Add(hn::LoadU(kFloats, to), Of::total(sums)), kFloats, to);
             });
  } else {
    tile<Of>(rows, stride, panel, steps, zero,
             [&](size_t r, size_t column, typename Of::Sums sums)
                 HWY_ATTR { hn::StoreU(Of::total(sums), kFloats, out + r * out_stride + column); });
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#endif
