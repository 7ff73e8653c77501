// Number formats for a file of a given size.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "checkpoint/checkpoint.h"
#include "models/weight_recipe.h"
#include "models/weights.h"

namespace whisper_s4y {

/// `mixed`: as below for about two fifths of what a file of float16 has.
[[nodiscard]] WeightRecipe mixed_recipe(const Checkpoint& checkpoint);
/// What `convert --quantize NAME` stands for, one of kRecipeNames.
[[nodiscard]] WeightRecipe recipe_of_name(std::string_view name, const Checkpoint& checkpoint);

/// The recipe whose file has at most `target` bytes and whose distributions are to be expected
/// nearest to float32's, by the sensitivities of docs/quantization.md: each matrix is float16, int8
/// or int4, the embedding int4 from some token on. `file_size` gives the bytes of a recipe's file;
/// it is called a few times. Throws Error saying the smallest possible size when the target is
/// below it.
[[nodiscard]] WeightRecipe recipe_for_size(
    const Checkpoint& checkpoint, uint64_t target, Compatibility compatibility,
    const std::function<uint64_t(const WeightRecipe&)>& file_size);

}  // namespace whisper_s4y
