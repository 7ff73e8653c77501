#include "checkpoint/weights_hash.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "checkpoint/layout.h"
#include "checkpoint/tensor_rows.h"
#include "common/content_hash.h"

namespace whisper_s4y {
namespace {

constexpr unsigned kMaxThreads = 16;  // more do not pay: memory is the limit

std::string tensor_hash(const TensorView& tensor) {
  ContentHash hash;
  const std::string head = tensor.name + " " + to_string(tensor.shape) + "\n";
  hash.update(std::as_bytes(std::span(head)));
  for_each_rows(*rows_of(tensor), [&](int64_t, std::span<const float> numbers) {
    hash.update(std::as_bytes(numbers));
  });
  return hash.digest();
}

}  // namespace

std::string weights_hash(const Checkpoint& checkpoint) {
  std::vector<const TensorView*> tensors;
  for (const auto& [name, tensor] : checkpoint.tensors) tensors.push_back(&tensor);
  std::vector<std::string> hashes(tensors.size());

  // Each tensor has its own hash, so that the result does not depend on the number of threads.
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (size_t i = next++; i < tensors.size(); i = next++) hashes[i] = tensor_hash(*tensors[i]);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();  // thrown again below, on the caller's thread
    }
  };
  {
    std::vector<std::jthread> threads;
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, kMaxThreads);
    for (unsigned i = 1; i < count; ++i) threads.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);

  ContentHash hash;
  for (const std::string& digest : hashes) hash.update(std::as_bytes(std::span(digest)));
  return hash.digest();
}

}  // namespace whisper_s4y
