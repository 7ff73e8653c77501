// Which processors the kernels are compiled for by Highway (hwy/foreach_target.h): the least one of
// the platform, SSE4, AVX2, AVX-512, and AVX-512 with products of bytes (VNNI, in HWY_AVX3_DL); the
// best that fits is chosen when the program runs. Sums differ in their last bits between them.
// Include this before Highway.
#pragma once

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
