#include "checkpoint/tensor_rows.h"

namespace whisper_s4y {
namespace {

class TensorRows : public RowSource {
 public:
  explicit TensorRows(const TensorView& view) : view_(view) {
    for (const int64_t size : view.shape) shape_.push_back(static_cast<int32_t>(size));
  }
  [[nodiscard]] const Shape& shape() const override { return shape_; }
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    view_.read_rows(first, count, out);
  }
  void release(int64_t first, int64_t count) const override { view_.release_rows(first, count); }
  [[nodiscard]] std::span<const std::byte> stored_as(DType type) const override {
    const bool same = (type == DType::f32 && view_.is_stored_as(StorageType::f32)) ||
                      (type == DType::f16 && view_.is_stored_as(StorageType::f16));
    return same ? view_.bytes : std::span<const std::byte>();
  }
  [[nodiscard]] const std::string& name() const override { return view_.name; }
  [[nodiscard]] std::optional<Origin> origin() const override {
    return Origin{.tensor = view_.name};
  }

 private:
  const TensorView& view_;
  Shape shape_;
};

}  // namespace

Rows rows_of(const TensorView& tensor) { return std::make_shared<TensorRows>(tensor); }

}  // namespace whisper_s4y
