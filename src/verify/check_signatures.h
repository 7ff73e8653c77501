// Whether the signatures of a .tflite file run and give numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/litert_model.h"
#include "tflite/reader.h"

namespace whisper_s4y {

/// Holds the file to the contract of tflite/contract.h and to what LiteRT can be given. Throws
/// Error naming the place; a file of others, without our metadata, makes no promises but must
/// define signatures, and not those of a bundle, which is nothing without its metadata.
void check_promises(const TfliteFile& file);

/// Keys of the signatures that LiteRT can run for us: those without string tensors.
[[nodiscard]] std::vector<std::string> checkable_signatures(const TfliteFile& file);

/// Runs the signatures, each loaded alone: sound is test_signal(), lengths are 1, every other
/// input is 0. Throws Error naming signature and tensor when one cannot be run or gives a number
/// that is not finite.
void check_signatures(const std::shared_ptr<const TfliteFile>& file,
                      const std::vector<std::string>& keys, const RuntimeOptions& options);

/// The short form for a file just written: its promises are checked, and what runs in no time is
/// run: `features`, and `step` where its weights take little memory, kQuickWeights. Encoders and
/// loops take longer than it took to write the file; that weights are finite was seen then.
void check_quickly(const std::shared_ptr<const TfliteFile>& file);

/// Bytes of weights that a signature may unpack in check_quickly().
inline constexpr uint64_t kQuickWeights = 100'000'000;

}  // namespace whisper_s4y
