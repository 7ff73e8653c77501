// Which files of a model repository make a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whisper_s4y {

/// Name of a repository on the hub: "tiny.en", "large-v3", "turbo" and the other well-known
/// names give OpenAI's or the distilled model; "owner/name" stays as it is. Throws Error for
/// anything else.
[[nodiscard]] std::string repository_of(std::string_view name);

/// Whether repository_of(name) would succeed.
[[nodiscard]] bool is_repository_name(std::string_view name);

/// The short names that repository_of knows: "tiny", "tiny.en", …
[[nodiscard]] std::vector<std::string> known_model_names();

/// A file as the hub lists it.
struct RemoteFile {
  std::string name;
  std::optional<uint64_t> size;  // bytes
  std::string sha256;            // 64 hex digits where the hub tells it, else empty
  std::string blob_id;           // of files without: Git's id, 40 hex digits, where it is told
};

/// Reads the hub's description of a repository (GET /api/models/ID?blobs=true).
/// Throws Error naming `source` when it is not that.
[[nodiscard]] std::vector<RemoteFile> parse_listing(std::string_view json, std::string_view source);

/// The files of `listing` that the converter reads: configuration, tokenizer and one form of the
/// weights. Of sharded weights only the index is named here: shards_of() tells the rest.
/// Throws Error naming `source` when there are no weights to convert.
[[nodiscard]] std::vector<RemoteFile> select_files(const std::vector<RemoteFile>& listing,
                                                   std::string_view source);

/// Name of the file that lists the shards of the weights.
inline constexpr std::string_view kShardIndex = "model.safetensors.index.json";

/// The names of the files that an index maps tensors to, each once, sorted. Only plain file names
/// ending in .safetensors are accepted. Throws Error naming `source` otherwise.
[[nodiscard]] std::vector<std::string> shard_names(std::string_view index_json,
                                                   std::string_view source);

/// The shards that an index names, looked up in `listing`. Throws Error naming `source` when one is
/// not there.
[[nodiscard]] std::vector<RemoteFile> shards_of(std::string_view index_json,
                                                const std::vector<RemoteFile>& listing,
                                                std::string_view source);

}  // namespace whisper_s4y
