// Which processors the kernels are compiled for by Highway (hwy/foreach_target.h): the least one of
// the platform, SSE4, AVX2 and AVX-512; the best that fits is chosen when the program runs. Sums
// differ in their last bits between them. HWY_AVX3_DL, which would have VNNI, is left out: Highway
// 1.0 lets the compiler use AVX-VNNI there too, which not all those processors have; see vnni.h.
// Include this before Highway.
#pragma once

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
