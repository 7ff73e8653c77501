// How many fields a struct has, so that none is forgotten.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <utility>

namespace whisper_s4y {
namespace options_detail {

struct Anything {
  template <typename T>
  operator T() const noexcept {  // never called
    std::abort();
  }
};

template <typename Struct, size_t... I>
constexpr bool takes(std::index_sequence<I...> /*values*/) {
  return requires { Struct{(static_cast<void>(I), Anything{})...}; };
}

}  // namespace options_detail

/// The number of fields of an aggregate: the most values that it can be initialised with.
template <typename Struct, size_t kAtLeast = 0>
constexpr size_t field_count() {
  if constexpr (options_detail::takes<Struct>(std::make_index_sequence<kAtLeast + 1>())) {
    return field_count<Struct, kAtLeast + 1>();
  } else {
    return kAtLeast;
  }
}

}  // namespace whisper_s4y
