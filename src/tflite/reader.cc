#include "tflite/reader.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <vector>

#include "common/fail.h"
#include "common/file_kind.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {
namespace {

namespace fb = ::flatbuffers;

constexpr size_t kFlatbufferLimit = FLATBUFFERS_MAX_BUFFER_SIZE - 1;
constexpr int64_t kElementLimit = int64_t{1} << 40;

template <typename T>
fb::uoffset_t size_of(const fb::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

bool known_type(tflite::TensorType type) {
  return type >= tflite::TensorType::MIN && type <= tflite::TensorType::MAX;
}

std::string convert_first(const std::string& checkpoint) {
  return fmt::format("convert it first, with `whisper-s4y convert {} -o MODEL.tflite`", checkpoint);
}

// A folder is what checkpoints are given as.
const std::filesystem::path& checked_path(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    fail("{} is a folder, not a .tflite file; if it holds a checkpoint, {}.", path.string(),
         convert_first(path.string()));
  }
  return path;
}

[[noreturn]] void refuse(const std::string& name, std::span<const std::byte> bytes) {
  if (const auto format = checkpoint_format(kind_of(bytes)); !format.empty()) {
    fail("{} is a checkpoint ({}), not a .tflite file: {}.", name, format, convert_first(name));
  }
  if (const auto meaning = what_else(bytes); !meaning.empty()) fail("{} {}.", name, meaning);
  fail("{} is not a .tflite file: the identifier TFL3 is missing.", name);
}

}  // namespace

int32_t op_number(const tflite::OperatorCode& code) {
  return std::max(static_cast<int32_t>(code.builtin_code()),
                  static_cast<int32_t>(code.deprecated_builtin_code()));
}

bool is_tflite(std::span<const std::byte> bytes) { return kind_of(bytes) == FileKind::tflite; }

TfliteFile::TfliteFile(const std::filesystem::path& path) : file_(checked_path(path)) { verify(); }

TfliteFile::TfliteFile(int descriptor, const std::filesystem::path& path)
    : file_(descriptor, path) {
  verify();
}

TfliteFile::TfliteFile(std::span<const std::byte> bytes, std::string_view name)
    : file_(bytes, name) {
  verify();
}

void TfliteFile::verify() {
  const std::string name = path().string();
  const auto bytes = file_.bytes();
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (!is_tflite(bytes)) refuse(name, bytes);
  fb::Verifier::Options options;
  options.max_depth = 32;
  options.max_tables = 10'000'000;
  fb::Verifier verifier(data, std::min(bytes.size(), kFlatbufferLimit), options);
  if (!verifier.VerifyBuffer<tflite::Model>("TFL3")) {
    fail("{} is damaged, or not all of it is there: its flatbuffer does not verify over {} bytes.",
         name, bytes.size());
  }
  model_ = fb::GetRoot<tflite::Model>(data);
  check();
}

void TfliteFile::check() const {
  const std::string name = path().string();
  if (model_->version() != 3) {
    fail("{} has TFLite version {}, expected 3.", name, model_->version());
  }
  const auto buffers = size_of(model_->buffers());
  const auto graphs = size_of(model_->subgraphs());
  if (graphs == 0) fail("{} has no subgraph.", name);
  for (fb::uoffset_t i = 0; i < buffers; ++i) {
    const auto* entry = model_->buffers()->Get(i);
    if (entry->offset() > 1 &&
        (entry->offset() > size() || entry->size() > size() - entry->offset())) {
      fail("{} is truncated: buffer {} of {} bytes at offset {} ends after the file's {} bytes.",
           name, i, entry->size(), entry->offset(), size());
    }
  }
  for (fb::uoffset_t i = 0; i < size_of(model_->metadata()); ++i) {
    const auto* entry = model_->metadata()->Get(i);
    if (entry->name() == nullptr || entry->buffer() >= buffers) {
      fail("{}: metadata entry {} is damaged.", name, i);
    }
  }
  for (fb::uoffset_t i = 0; i < graphs; ++i) check_subgraph(*model_->subgraphs()->Get(i), i);
  check_loops();
  for (fb::uoffset_t i = 0; i < size_of(model_->signature_defs()); ++i) {
    const auto* signature = model_->signature_defs()->Get(i);
    bool good = signature->signature_key() != nullptr && signature->subgraph_index() < graphs;
    if (good) {
      const auto* graph = model_->subgraphs()->Get(signature->subgraph_index());
      for (const auto* maps : {signature->inputs(), signature->outputs()}) {
        for (fb::uoffset_t k = 0; k < size_of(maps); ++k) {
          good = good && maps->Get(k)->name() != nullptr &&
                 maps->Get(k)->tensor_index() < size_of(graph->tensors());
        }
      }
    }
    if (!good) fail("{}: signature {} is damaged.", name, i);
  }
}

void TfliteFile::check_subgraph(const tflite::SubGraph& graph, size_t index) const {
  const std::string name = path().string();
  const auto tensors = size_of(graph.tensors());
  for (fb::uoffset_t i = 0; i < tensors; ++i) {
    const auto* tensor = graph.tensors()->Get(i);
    if (!known_type(tensor->type()) || tensor->buffer() >= size_of(model_->buffers())) {
      fail("{}: tensor {} of subgraph {} is damaged.", name, i, index);
    }
    int64_t elements = 1;
    for (fb::uoffset_t k = 0; k < size_of(tensor->shape()); ++k) {
      const int32_t dimension = tensor->shape()->Get(k);
      if (dimension < -1 || (dimension > 0 && elements > kElementLimit / dimension)) {
        fail("{}: tensor {} of subgraph {} has an impossible shape.", name, i, index);
      }
      elements *= std::max(dimension, 0);
    }
    const auto content = buffer(tensor->buffer());
    const auto type = static_cast<DType>(tensor->type());
    const bool sized = name_of(type) != "unknown" && type != DType::string;
    if (!content.empty() && sized) {
      const auto needed =
          (static_cast<uint64_t>(elements) * static_cast<uint64_t>(bits_of(type)) + 7) / 8;
      if (needed != content.size()) {
        fail("{}: tensor {} of subgraph {} needs {} bytes, its buffer has {}.", name, i, index,
             needed, content.size());
      }
    }
  }
  const auto check_ids = [&](const fb::Vector<int32_t>* ids, bool optional, std::string_view what) {
    for (fb::uoffset_t i = 0; i < size_of(ids); ++i) {
      const int32_t id = ids->Get(i);
      if ((id < 0 && !(optional && id == -1)) || id >= static_cast<int64_t>(tensors)) {
        fail("{}: {} of subgraph {} names tensor {} of {}.", name, what, index, id, tensors);
      }
    }
  };
  check_ids(graph.inputs(), false, "an input");
  check_ids(graph.outputs(), false, "an output");
  for (fb::uoffset_t i = 0; i < size_of(graph.operators()); ++i) {
    const auto* op = graph.operators()->Get(i);
    if (op->opcode_index() >= size_of(model_->operator_codes())) {
      fail("{}: op {} of subgraph {} has no operator code.", name, i, index);
    }
    check_ids(op->inputs(), true, "an op");
    check_ids(op->outputs(), false, "an op");
    if (const auto* loop = op->builtin_options_as_WhileOptions()) {
      for (const int32_t target : {loop->cond_subgraph_index(), loop->body_subgraph_index()}) {
        if (target < 0 || target >= static_cast<int64_t>(size_of(model_->subgraphs()))) {
          fail("{}: a WHILE of subgraph {} names subgraph {}.", name, index, target);
        }
      }
    }
  }
}

/// A loop that runs its own subgraph, directly or through others, would never end being prepared.
void TfliteFile::check_loops() const {
  const auto graphs = size_of(model_->subgraphs());
  std::vector<std::vector<int32_t>> called(graphs);
  std::vector<size_t> callers(graphs, 0);
  for (fb::uoffset_t i = 0; i < graphs; ++i) {
    const auto* ops = model_->subgraphs()->Get(i)->operators();
    for (fb::uoffset_t k = 0; k < size_of(ops); ++k) {
      const auto* loop = ops->Get(k)->builtin_options_as_WhileOptions();
      if (loop == nullptr) continue;
      for (const int32_t target : {loop->cond_subgraph_index(), loop->body_subgraph_index()}) {
        called[i].push_back(target);
        ++callers[static_cast<size_t>(target)];
      }
    }
  }
  // Takes away, one after another, the subgraphs that nobody left calls; loops remain.
  std::vector<size_t> free;
  for (size_t i = 0; i < graphs; ++i) {
    if (callers[i] == 0) free.push_back(i);
  }
  size_t taken = 0;
  for (; taken < free.size(); ++taken) {
    for (const int32_t target : called[free[taken]]) {
      if (--callers[static_cast<size_t>(target)] == 0) free.push_back(static_cast<size_t>(target));
    }
  }
  if (taken < graphs) fail("{}: a WHILE runs the subgraph it is in.", path().string());
}

bool TfliteFile::has_metadata(std::string_view name) const {
  for (fb::uoffset_t i = 0; i < size_of(model_->metadata()); ++i) {
    if (model_->metadata()->Get(i)->name()->string_view() == name) return true;
  }
  return false;
}

std::string_view TfliteFile::metadata(std::string_view name) const {
  for (fb::uoffset_t i = 0; i < size_of(model_->metadata()); ++i) {
    const auto* entry = model_->metadata()->Get(i);
    if (entry->name()->string_view() != name) continue;
    const auto bytes = buffer(entry->buffer());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  fail("{} has no metadata \"{}\": it was not written by whisper-s4y.", path().string(), name);
}

std::span<const std::byte> TfliteFile::buffer(uint32_t index) const {
  const auto* entry = model_->buffers()->Get(index);
  if (entry->offset() > 1) {
    return file_.bytes().subspan(static_cast<size_t>(entry->offset()),
                                 static_cast<size_t>(entry->size()));
  }
  if (entry->data() == nullptr) return {};
  return std::as_bytes(std::span(entry->data()->data(), entry->data()->size()));
}

}  // namespace whisper_s4y
