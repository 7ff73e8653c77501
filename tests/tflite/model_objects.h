// A .tflite file as objects that a test can change at will.
#pragma once

#include <memory>
#include <string>

#include "schema_objects.h"

namespace whisper_s4y {

/// Large constants lie behind the flatbuffer, so that packing it again need not move them: `good`
/// was written with a flatbuffer_limit of 1.
class ModelObjects {
 public:
  explicit ModelObjects(std::string good);

  /// The model of the file, to be changed.
  [[nodiscard]] std::unique_ptr<objects::ModelT> unpack() const;
  /// A file of the changed model. Its constants behind the flatbuffer are those of the good file,
  /// moved back as far as the flatbuffer needs; places that point nowhere are kept as they are.
  [[nodiscard]] std::string pack(objects::ModelT& model) const;

 private:
  std::string good_;
  size_t behind_ = 0;  // where the constants behind the flatbuffer begin
};

}  // namespace whisper_s4y
