// Files that belong to a checkpoint by their name, beside its weights.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace whisper_s4y {

/// folder/name; nothing when there is no such file. Throws Error when it is a symbolic link to
/// nothing, or another user's link out of the folder to what is not theirs: nobody else chooses
/// what is read with this user's rights. Links of a Hugging Face cache, snapshots/REVISION/NAME ->
/// ../../blobs/HASH, stay inside their model.
[[nodiscard]] std::optional<std::filesystem::path> find_side_file(
    const std::filesystem::path& folder, std::string_view name);

/// The folder of a file; "." for a mere name.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

}  // namespace whisper_s4y
