// Which processors the loops over vectors are compiled for: with Highway (hwy/foreach_target.h),
// for the least one of the platform and for AVX2; the one that fits is chosen when the program
// runs. The loops are written with the vectors of GCC and Clang, eight lanes wide everywhere, so
// that sums come out the same on every processor. Include this before Highway.
#pragma once

// More would only make the program larger: eight lanes are all that is used.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)

// How such vectors are passed to functions depends on the instruction set, of which GCC warns even
// where all these functions are inlined.
#pragma GCC diagnostic ignored "-Wpsabi"
