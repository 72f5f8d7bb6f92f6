// The few file operations that run's writers share, with errors that a person can act on.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace rl {

/// Makes the folder and those above it, and makes sure that files can be written there. Throws
/// Error{cannot_write} naming the folder and the reason.
void make_folder(const std::filesystem::path& folder);

/// Replaces a file as a whole: writes beside it, flushes to disk, renames. Whoever reads sees the
/// old or the new file, never a part, whatever dies when. Permissions are those of any new file.
/// Throws Error{cannot_write}.
void write_file(const std::filesystem::path& file, std::string_view bytes);

/// Whether something of that name is there. Throws Error{cannot_read} when the system cannot tell.
bool file_exists(const std::filesystem::path& file);

/// All bytes of a file. Throws Error{cannot_read}.
std::string read_file(const std::filesystem::path& file);

} // namespace rl
