// Real bundles with something changed in them, object by object.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace whisper_s4y {

/// Reads from `script` which of a few tiny bundles to take and what to change in it: shapes, types,
/// indexes, ops and their options, contents and places of constants, scales, signatures, metadata.
/// The same script gives the same file. Scripts are what the fuzzer makes up.
[[nodiscard]] std::string changed_bundle(std::span<const std::byte> script);

}  // namespace whisper_s4y
