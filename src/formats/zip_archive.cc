#include "formats/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "common/fail.h"
#include "formats/byte_reader.h"

namespace whisper_s4y {
namespace {

// PKWARE APPNOTE.TXT 4.3: signatures and sizes of the records.
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryEntry = 0x02014b50;
constexpr uint32_t kEndOfDirectory = 0x06054b50;
constexpr uint32_t kEndOfDirectory64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr uint64_t kEndSize = 22;
constexpr uint64_t kLocatorSize = 20;
constexpr uint64_t kEntrySize = 46;
constexpr uint64_t kMaxComment = 0xFFFF;
constexpr uint16_t kExtra64 = 1;
constexpr uint64_t kMaxEntries = 1 << 16;  // one for each tensor, and a few
constexpr uint32_t kIn64 = 0xFFFFFFFF;     // "see the ZIP64 record"

template <typename Number>
Number number_at(std::span<const std::byte> bytes, uint64_t offset) {
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof(number));
  return number;
}

struct EntryPlace {
  uint64_t size, packed_size, header;
};

// Fills the fields that did not fit in 32 bits; the extra record has them in this order.
void read_extra64(ByteReader extra, EntryPlace& place) {
  while (extra.remaining() > 0) {
    const auto id = extra.read<uint16_t>("an extra field");
    const auto size = extra.read<uint16_t>("an extra field");
    ByteReader field(extra.take(size, "an extra field"), extra.source());
    if (id != kExtra64) continue;
    for (uint64_t* value : {&place.size, &place.packed_size, &place.header}) {
      if (*value == kIn64) *value = field.read<uint64_t>("a ZIP64 field");
    }
    return;
  }
}

// Where the record at the end begins. It ends with a comment of unknown length: search backwards.
std::optional<uint64_t> find_end(std::span<const std::byte> bytes) {
  if (bytes.size() < kEndSize) return std::nullopt;
  uint64_t at = bytes.size() - kEndSize;
  const uint64_t lowest = at > kMaxComment ? at - kMaxComment : 0;
  while (number_at<uint32_t>(bytes, at) != kEndOfDirectory) {
    if (at == lowest) return std::nullopt;
    --at;
  }
  return at;
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string source)
    : bytes_(bytes), source_(std::move(source)) {
  read_directory(find_directory());
  check_overlaps();
}

bool ZipArchive::has_directory(std::span<const std::byte> bytes) {
  return find_end(bytes).has_value();
}

ZipArchive::Directory ZipArchive::find_directory() const {
  const auto end = find_end(bytes_);
  if (!end) fail("{} is truncated: it begins as a ZIP but has no directory at its end.", source_);
  const uint64_t at = *end;
  Directory directory{.offset = number_at<uint32_t>(bytes_, at + 16),
                      .size = number_at<uint32_t>(bytes_, at + 12),
                      .entries = number_at<uint16_t>(bytes_, at + 10)};
  if (at >= kLocatorSize && number_at<uint32_t>(bytes_, at - kLocatorSize) == kLocator64) {
    ByteReader reader(bytes_, source_);
    reader.seek(number_at<uint64_t>(bytes_, at - kLocatorSize + 8), "the ZIP64 directory");
    if (reader.read<uint32_t>("the ZIP64 directory") != kEndOfDirectory64) {
      fail("{}: no ZIP64 directory at byte {}.", source_, reader.offset() - 4);
    }
    reader.take(8 + 2 + 2 + 4 + 4 + 8, "the ZIP64 directory");
    directory.entries = reader.read<uint64_t>("the ZIP64 directory");
    directory.size = reader.read<uint64_t>("the ZIP64 directory");
    directory.offset = reader.read<uint64_t>("the ZIP64 directory");
  }
  if (directory.offset > bytes_.size() || directory.size > bytes_.size() - directory.offset ||
      directory.entries > directory.size / kEntrySize) {
    fail("{}: the ZIP directory of {} entries at bytes {} to {} does not fit in {} bytes.", source_,
         directory.entries, directory.offset, directory.offset + directory.size, bytes_.size());
  }
  return directory;
}

void ZipArchive::read_directory(const Directory& directory) {
  if (directory.entries > kMaxEntries) {
    fail("{} is a ZIP of {} entries, more than any model has.", source_, directory.entries);
  }
  ByteReader reader(bytes_.subspan(directory.offset, directory.size), source_ + " (ZIP directory)");
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (reader.read<uint32_t>("an entry") != kDirectoryEntry) {
      fail("{}: no ZIP entry at byte {}.", source_, directory.offset + reader.offset() - 4);
    }
    reader.take(4, "an entry");
    const auto flags = reader.read<uint16_t>("an entry");
    const auto method = reader.read<uint16_t>("an entry");
    reader.take(4, "an entry");
    const auto crc = reader.read<uint32_t>("an entry");
    EntryPlace place{};
    place.packed_size = reader.read<uint32_t>("an entry");
    place.size = reader.read<uint32_t>("an entry");
    const auto name_length = reader.read<uint16_t>("an entry");
    const auto extra_length = reader.read<uint16_t>("an entry");
    const auto comment_length = reader.read<uint16_t>("an entry");
    reader.take(8, "an entry");
    place.header = reader.read<uint32_t>("an entry");
    const std::string name(reader.text(name_length, "the name of an entry"));
    read_extra64(ByteReader(reader.take(extra_length, name), reader.source()), place);
    reader.take(comment_length, name);
    if (method != 0 || place.size != place.packed_size) {
      fail(
          "{}: entry {} is compressed, which torch.save does not do; unpack the archive and give "
          "what is inside.",
          source_, name);
    }
    if ((flags & 1U) != 0) fail("{}: entry {} is encrypted.", source_, name);
    const auto data = locate_data(name, place.header, place.size);
    if (!entries_.emplace(name, Entry{.data = data, .crc = crc}).second) {
      fail("{}: entry {} appears twice.", source_, name);
    }
  }
}

// The local header repeats name and extra field, and its lengths differ from the directory's:
// torch pads the extra field to align the data.
std::span<const std::byte> ZipArchive::locate_data(std::string_view name, uint64_t header,
                                                   uint64_t size) const {
  ByteReader reader(bytes_, source_);
  reader.seek(header, name);
  if (reader.read<uint32_t>(name) != kLocalHeader) {
    fail("{}: entry {} has no header at byte {}.", source_, name, header);
  }
  reader.take(22, name);
  const auto name_length = reader.read<uint16_t>(name);
  const auto extra_length = reader.read<uint16_t>(name);
  if (reader.text(name_length, name) != name) {
    fail("{}: the header at byte {} is not that of entry {}.", source_, header, name);
  }
  reader.take(extra_length, name);
  return reader.take(size, name);
}

void ZipArchive::check_overlaps() const {
  std::vector<std::pair<const std::string*, std::span<const std::byte>>> places;
  for (const auto& [name, entry] : entries_) {
    if (!entry.data.empty()) places.emplace_back(&name, entry.data);
  }
  std::ranges::sort(places, {}, [](const auto& place) { return place.second.data(); });
  for (size_t i = 1; i < places.size(); ++i) {
    const auto& before = places[i - 1].second;
    if (before.data() + before.size() > places[i].second.data()) {
      fail("{}: the entries {} and {} overlap at byte {}.", source_, *places[i - 1].first,
           *places[i].first, places[i].second.data() - bytes_.data());
    }
  }
}

std::span<const std::byte> ZipArchive::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail("{} has no entry {}.", source_, name);
  return found->second.data;
}

std::span<const std::byte> ZipArchive::checked_entry(std::string_view name) const {
  const auto data = entry(name);
  const uint32_t expected = entries_.find(name)->second.crc;
  const auto found = static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(data.data()), data.size()));
  if (found != expected) {
    fail("{}: entry {} has the checksum {:08x}, expected {:08x}; the file is damaged.", source_,
         name, found, expected);
  }
  return data;
}

std::map<std::string, std::span<const std::byte>, std::less<>> ZipArchive::entries_under(
    std::string_view prefix) const {
  std::map<std::string, std::span<const std::byte>, std::less<>> result;
  for (auto at = entries_.lower_bound(prefix);
       at != entries_.end() && at->first.starts_with(prefix); ++at) {
    result.emplace(at->first.substr(prefix.size()), at->second.data);
  }
  return result;
}

std::string_view ZipArchive::find_ending(std::string_view ending) const {
  std::string_view result;
  for (const auto& [name, entry] : entries_) {
    if (!name.ends_with(ending)) continue;
    if (!result.empty()) fail("{} has both {} and {}.", source_, result, name);
    result = name;
  }
  if (result.empty())
    fail("{} is a ZIP without {}: not a PyTorch file; unpack it and give what is inside.", source_,
         ending);
  return result;
}

}  // namespace whisper_s4y
