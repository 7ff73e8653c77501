#include "hub/file_hash.h"

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/fail.h"

namespace whisper_s4y {

namespace {

std::string hash_of(const std::filesystem::path& path, const EVP_MD* kind,
                    const std::string& before) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorCode::io, "Cannot open {} to check its hash.", path.string());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1) {
    fail(ErrorCode::io, "OpenSSL does not offer the hash that {} is to be checked by.",
         path.string());
  }
  EVP_DigestUpdate(context.get(), before.data(), before.size());
  std::vector<char> block(1 << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    EVP_DigestUpdate(context.get(), block.data(), static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) fail(ErrorCode::io, "Cannot read {} to check its hash.", path.string());
  std::vector<unsigned char> digest(static_cast<size_t>(EVP_MD_size(kind)));
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace

std::string sha256_of_file(const std::filesystem::path& path) {
  return hash_of(path, EVP_sha256(), "");
}

std::string git_blob_id_of_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) fail(ErrorCode::io, "Cannot open {} to check its hash.", path.string());
  return hash_of(path, EVP_sha1(), fmt::format("blob {}", size) + '\0');
}

}  // namespace whisper_s4y
