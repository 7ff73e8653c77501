// The text of tokens inside the graph.
#pragma once

#include "config/model_info.h"
#include "graph/graph.h"

namespace whisper_s4y {

/// Bytes of each token of a row i32[1, n]; special tokens, timestamps among them, have none. The
/// caller joins them: a character may spread over several tokens.
struct TokenText {
  Value strings;  // string[n]
  Value bytes;    // u8[n, w], w = length of the longest token; padded with 0
  Value lengths;  // i32[n], bytes in use
};

TokenText text_of_tokens(Graph& g, const Vocabulary& vocabulary, Value tokens);

}  // namespace whisper_s4y
