#include "tflite/model_objects.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace whisper_s4y {
namespace {

constexpr size_t kAlignment = 64;

std::string packed(const objects::ModelT& model) {
  flatbuffers::FlatBufferBuilder builder(1 << 20);
  builder.Finish(objects::Model::Pack(builder, &model), "TFL3");
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace

ModelObjects::ModelObjects(std::string good) : good_(std::move(good)), behind_(good_.size()) {
  const std::unique_ptr<objects::ModelT> model = unpack();
  for (const auto& buffer : model->buffers) {
    if (buffer->offset > 1) behind_ = std::min<size_t>(behind_, buffer->offset);
  }
}

std::unique_ptr<objects::ModelT> ModelObjects::unpack() const {
  return std::unique_ptr<objects::ModelT>(objects::UnPackModel(good_.data()));
}

std::string ModelObjects::pack(objects::ModelT& model) const {
  // Offsets have a fixed size: a second packing takes no more room than the first.
  const size_t needed = packed(model).size();
  const size_t begin = std::max(behind_, (needed + kAlignment - 1) / kAlignment * kAlignment);
  const size_t moved = begin - behind_;
  for (const auto& buffer : model.buffers) {
    if (buffer->offset >= behind_ && buffer->offset < good_.size()) buffer->offset += moved;
  }
  std::string content = packed(model);
  content.resize(begin, '\0');
  return content.append(std::string_view(good_).substr(behind_));
}

}  // namespace whisper_s4y
