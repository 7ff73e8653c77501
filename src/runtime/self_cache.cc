#include "runtime/self_cache.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kPrefix = "self_";

uint64_t new_row() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

size_t product(std::span<const int32_t> sizes) {
  size_t product = 1;
  for (const int32_t size : sizes) product *= static_cast<size_t>(size);
  return product;
}

/// Index of the dimension of the positions; the first dimension counts hypotheses.
size_t position_axis(const TensorInfo& tensor, int positions, const std::string& key) {
  size_t axis = 0;
  size_t found = 0;
  for (size_t i = 1; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] != positions) continue;
    axis = i;
    ++found;
  }
  if (found != 1 || tensor.dtype != DType::f32 || tensor.shape[0] < 1) {
    fail(ErrorCode::invalid_argument,
         "Tensor \"{}\" {} of signature \"{}\" is no cache of {} positions.", tensor.name,
         tensor.description(), key, positions);
  }
  return axis;
}

}  // namespace

float* SelfCache::Part::hypothesis(size_t index) {
  return buffer.as<float>().data() + index * outer * positions * inner;
}

const float* SelfCache::Part::hypothesis(size_t index) const {
  return buffer.as<float>().data() + index * outer * positions * inner;
}

bool SelfCache::Part::is_like(const Part& other) const {
  return name == other.name && outer == other.outer && positions == other.positions &&
         inner == other.inner;
}

SelfCache::SelfCache(LiteRtSignature& signature, int positions) : positions_(positions) {
  int hypotheses = 0;
  for (const TensorInfo& tensor : signature.inputs()) {
    if (!tensor.name.starts_with(kPrefix)) continue;
    const size_t axis = position_axis(tensor, positions, signature.key());
    if (hypotheses == 0) hypotheses = tensor.shape[0];
    if (tensor.shape[0] != hypotheses) {
      fail(ErrorCode::invalid_argument,
           "Tensor \"{}\" {} of signature \"{}\" is not for {} hypotheses like the others.",
           tensor.name, tensor.description(), signature.key(), hypotheses);
    }
    const std::span<const int32_t> shape(tensor.shape);
    parts_.push_back({.name = tensor.name,
                      .buffer = AlignedBuffer(tensor),
                      .outer = product(shape.subspan(1, axis - 1)),
                      .positions = static_cast<size_t>(positions),
                      .inner = product(shape.subspan(axis + 1))});
  }
  if (parts_.empty())
    fail(ErrorCode::invalid_argument, "Signature \"{}\" has no input \"self_...\".",
         signature.key());
  rows_.resize(static_cast<size_t>(hypotheses));
}

void SelfCache::bind(LiteRtSignature& signature) {
  for (Part& part : parts_) {
    signature.bind_input(part.name, part.buffer);
    signature.bind_output("new_" + part.name, part.buffer);
  }
}

void SelfCache::wrote(int hypothesis, int position, int count) {
  if (position < 0 || position > length(hypothesis) || count < 0 || count > positions_ - position) {
    fail(ErrorCode::invalid_argument,
         "{} rows cannot be written at position {}: the cache holds {} of {} positions.", count,
         position, length(hypothesis), positions_);
  }
  truncate(hypothesis, position);
  Rows& rows = rows_[static_cast<size_t>(hypothesis)];
  for (int i = 0; i < count; ++i) rows.push_back(new_row());
}

void SelfCache::truncate(int hypothesis, int position) {
  Rows& rows = rows_.at(static_cast<size_t>(hypothesis));
  rows.resize(std::min(rows.size(), static_cast<size_t>(std::max(position, 0))));
}

int SelfCache::first_difference(const Rows& a, const Rows& b, int length) {
  int position = 0;
  const int common = std::min({length, static_cast<int>(a.size()), static_cast<int>(b.size())});
  while (position < common && a[static_cast<size_t>(position)] == b[static_cast<size_t>(position)])
    ++position;
  return position;
}

void SelfCache::copy(const Part& from, size_t from_hypothesis, Part& to, size_t to_hypothesis,
                     int first, int last) {
  const float* source = from.hypothesis(from_hypothesis) + static_cast<size_t>(first) * from.inner;
  float* target = to.hypothesis(to_hypothesis) + static_cast<size_t>(first) * to.inner;
  const size_t bytes = static_cast<size_t>(last - first) * from.inner * sizeof(float);
  for (size_t i = 0; i < from.outer; ++i) {
    std::memcpy(target + i * to.positions * to.inner, source + i * from.positions * from.inner,
                bytes);
  }
}

std::vector<float> SelfCache::save(size_t hypothesis, int first, int last) const {
  std::vector<float> saved;
  for (const Part& part : parts_) {
    const float* source = part.hypothesis(hypothesis) + static_cast<size_t>(first) * part.inner;
    const size_t count = static_cast<size_t>(last - first) * part.inner;
    for (size_t i = 0; i < part.outer; ++i) {
      const float* row = source + i * part.positions * part.inner;
      saved.insert(saved.end(), row, row + count);
    }
  }
  return saved;
}

void SelfCache::restore(std::span<const float> saved, size_t hypothesis, int first, int last) {
  for (Part& part : parts_) {
    float* target = part.hypothesis(hypothesis) + static_cast<size_t>(first) * part.inner;
    const size_t count = static_cast<size_t>(last - first) * part.inner;
    for (size_t i = 0; i < part.outer; ++i) {
      std::copy_n(saved.begin(), count, target + i * part.positions * part.inner);
      saved = saved.subspan(count);
    }
  }
}

void SelfCache::reorder(std::span<const int> parents, int length) {
  if (parents.size() > rows_.size()) {
    fail(ErrorCode::invalid_argument, "The cache has {} hypotheses, not {}.", rows_.size(),
         parents.size());
  }
  struct Move {
    size_t to;
    size_t from;
    int first;                 // positions before are equal already
    std::vector<float> saved;  // the positions from `first` on, once `from` is overwritten
  };
  std::vector<Move> moves;
  std::vector<Rows> rows = rows_;
  for (size_t i = 0; i < parents.size(); ++i) {
    if (parents[i] < 0 || parents[i] >= hypotheses() || length < 0 ||
        this->length(parents[i]) < length) {
      fail(ErrorCode::invalid_argument,
           "Hypothesis {} cannot continue hypothesis {} at position {}: it has not come so far.", i,
           parents[i], length);
    }
    const auto parent = static_cast<size_t>(parents[i]);
    const int first = first_difference(rows_[i], rows_[parent], length);
    rows[i].assign(rows_[parent].begin(), rows_[parent].begin() + length);
    if (parent != i && first < length) moves.push_back({i, parent, first, {}});
  }
  rows_ = std::move(rows);

  while (!moves.empty()) {
    // A hypothesis that no other move reads can be overwritten at once.
    auto move = std::ranges::find_if(moves, [&](const Move& candidate) {
      return std::ranges::none_of(moves, [&](const Move& other) {
        return other.to != candidate.to && other.saved.empty() && other.from == candidate.to;
      });
    });
    if (move == moves.end()) {
      // Only cycles are left; saving what one move overwrites opens a cycle.
      move = moves.begin();
      for (Move& other : moves) {
        if (other.from == move->to) other.saved = save(other.from, other.first, length);
      }
    }
    if (move->saved.empty()) {
      for (Part& part : parts_) copy(part, move->from, part, move->to, move->first, length);
    } else {
      restore(move->saved, move->to, move->first, length);
    }
    moves.erase(move);
  }
}

void SelfCache::copy_from(const SelfCache& source, int length) {
  if (length < 0 || source.length(0) < length) {
    fail(ErrorCode::invalid_argument,
         "Hypotheses cannot start at position {}: only {} positions were fed.", length,
         source.length(0));
  }
  if (!std::ranges::equal(parts_, source.parts_,
                          [](const Part& a, const Part& b) { return a.is_like(b); })) {
    fail(ErrorCode::invalid_argument,
         "Hypotheses cannot start from a cache whose tensors have other names or shapes.");
  }
  for (size_t i = 0; i < rows_.size(); ++i) {
    const int first = first_difference(rows_[i], source.rows_[0], length);
    if (first < length) {
      for (size_t p = 0; p < parts_.size(); ++p) {
        copy(source.parts_[p], 0, parts_[p], i, first, length);
      }
    }
    rows_[i].assign(source.rows_[0].begin(), source.rows_[0].begin() + length);
  }
}

}  // namespace whisper_s4y
