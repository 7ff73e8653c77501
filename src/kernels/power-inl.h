// Powers of two, of which exponentials are made. For files that Highway compiles for each
// processor.
#if defined(WHISPER_S4Y_KERNELS_POWER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WHISPER_S4Y_KERNELS_POWER_INL_H
#undef WHISPER_S4Y_KERNELS_POWER_INL_H
#else
#define WHISPER_S4Y_KERNELS_POWER_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// 2^x for x <= 0 by x = whole + rest, |rest| <= 1/2, to 2e-7 of it. What is too small for float32
// becomes some 1e-38.
template <class D, class V = hn::Vec<D> >
HWY_INLINE V power_of_two(D d, V x) {
  const auto of = [d](float value) HWY_ATTR { return hn::Set(d, value); };
  const hn::RebindToSigned<D> ints;
  // Of such a sum the lowest bits are the number, rounded.
  const auto shift = of(12582912.0F);
  x = hn::Max(x, of(-126.0F));
  const auto shifted = hn::Add(x, shift);
  const auto rest = hn::Sub(x, hn::Sub(shifted, shift));
  auto p = of(0.0001540353F);
  p = hn::MulAdd(p, rest, of(0.0013333558F));
  p = hn::MulAdd(p, rest, of(0.0096181291F));
  p = hn::MulAdd(p, rest, of(0.0555041087F));
  p = hn::MulAdd(p, rest, of(0.2402265070F));
  p = hn::MulAdd(p, rest, of(0.6931471806F));
  p = hn::MulAdd(p, rest, of(1.0F));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(ints, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(ints, p), exponent));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#endif
