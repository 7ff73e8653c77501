#include "runtime/decoder_pass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "common/column_spreading.h"
#include "kernels/row_ops.h"

namespace whisper_s4y {
namespace {

constexpr float kNowhere = std::numeric_limits<float>::lowest();  // score of what is not looked at
constexpr size_t kRowsOfScores = 8;  // rows of queries that attend to the window at once

// A task of a product is so many outputs: enough weights for some microseconds, and a multiple of
// what fits in a cache line.
constexpr size_t kWeightsOfTask = 32768;
constexpr size_t kGrain = 16;

size_t outputs_of_task(const StoredMatrix& matrix) {
  return std::max(kGrain, kWeightsOfTask / matrix.columns / kGrain * kGrain);
}

PreparedRows::Forms forms_of(std::initializer_list<const LinearWeights*> users) {
  PreparedRows::Forms forms;
  for (const LinearWeights* user : users) {
    for (const StoredMatrix& part : user->parts) forms.add(part);
  }
  return forms;
}

}  // namespace

DecoderPass::DecoderPass(std::shared_ptr<const DecoderWeights> weights, TaskTeam& team)
    : weights_(std::move(weights)),
      team_(team),
      shape_{
          static_cast<size_t>(weights_->config.decoder_attention_heads),
          static_cast<size_t>(weights_->config.d_model / weights_->config.decoder_attention_heads)},
      query_factor_(1.0F / std::sqrt(static_cast<float>(shape_.head_size))),
      caches_(weights_->layers.size()),
      contiguous_(static_cast<size_t>(weights_->config.max_source_positions)),
      spreading_(shape_.width()) {
  for (size_t i = 0; i < weights_->layers.size(); ++i) {
    windows_.emplace_back(shape_, contiguous_, !weights_->exact);
  }
  for (size_t i = 0; i < team_.size(); ++i) {
    scores_.emplace_back(std::max(kRowsOfScores * windows_.front().stride(),
                                  static_cast<size_t>(weights_->config.max_target_positions)));
  }
  row_.assign(team_.size(), std::vector<float>(shape_.width()));
  reserve(1);
}

void DecoderPass::add_slots(size_t count) {
  const size_t old = slots_ * shape_.width();
  slots_ += count;
  for (SlotCache& cache : caches_) {
    for (auto* numbers : {&cache.keys, &cache.values}) {
      auto more = std::make_unique_for_overwrite<float[]>(slots_ * shape_.width());
      std::copy_n(numbers->get(), old, more.get());
      *numbers = std::move(more);
    }
  }
}

void DecoderPass::use(const WindowPositions* positions) {
  const auto all = static_cast<size_t>(weights_->config.max_source_positions);
  contiguous_ = positions == nullptr ? all : positions->contiguous;
  for (WindowCache& window : windows_) window.use(positions == nullptr ? all : positions->size());
  bias_.clear();
  if (positions == nullptr) return;
  bias_.resize(positions->multiplicities.size());
  std::ranges::transform(positions->multiplicities, bias_.begin(),
                         [](float multiplicity) { return std::log(multiplicity); });
}

void DecoderPass::reserve(size_t rows) {
  if (rows <= reserved_) return;
  reserved_ = rows;
  const size_t d = shape_.width();
  const auto ffn = static_cast<size_t>(weights_->config.decoder_ffn_dim);
  for (std::vector<float>* values : {&x_, &q_, &k_, &v_, &mixed_}) values->resize(rows * d);
  inner_.resize(rows * ffn);
  narrow_ = std::make_unique<PreparedRows>(rows, d);
  wide_ = std::make_unique<PreparedRows>(rows, ffn);
}

std::span<const float> DecoderPass::run(std::span<const Row> rows, size_t first_logits,
                                        const Capture* capture) {
  reserve(rows.size());
  const size_t count = (rows.size() - first_logits) * weights_->logits.outputs;
  if (logits_.size() < count) logits_.resize(count);
  embed(rows);
  for (size_t i = 0; i < weights_->layers.size(); ++i) {
    const DecoderLayerWeights& layer = weights_->layers[i];
    normalise(rows.size(), layer.self_norm, {&layer.q, &layer.k, &layer.v});
    multiply_all({{&layer.q, &q_}, {&layer.k, &k_}, {&layer.v, &v_}}, *narrow_, rows.size());
    self_attention(i, rows);
    prepare(*narrow_, mixed_, rows.size(), layer.out);
    multiply_all({{&layer.out, &x_}}, *narrow_, rows.size(), Into::sum);

    normalise(rows.size(), layer.cross_norm, {&layer.cross_q});
    multiply_all({{&layer.cross_q, &q_}}, *narrow_, rows.size());
    cross_attention(i, rows.size(), capture);
    prepare(*narrow_, mixed_, rows.size(), layer.cross_out);
    multiply_all({{&layer.cross_out, &x_}}, *narrow_, rows.size(), Into::sum);

    normalise(rows.size(), layer.mlp_norm, {&layer.fc1});
    multiply_all({{&layer.fc1, &inner_}}, *narrow_, rows.size(), Into::fresh, Then::gelu);
    prepare(*wide_, inner_, rows.size(), layer.fc2);
    multiply_all({{&layer.fc2, &x_}}, *wide_, rows.size(), Into::sum);
  }
  compute_logits(rows.size(), first_logits);
  return std::span(logits_).first(count);
}

void DecoderPass::embed(std::span<const Row> rows) {
  const size_t d = shape_.width();
  std::vector<float>& position = row_[0];
  for (size_t r = 0; r < rows.size(); ++r) {
    const std::span<float> x = std::span(x_).subspan(r * d, d);
    weights_->embedding.read_rows(rows[r].token, 1, x);
    weights_->positions.read_rows(rows[r].position, 1, position);
    for (size_t i = 0; i < d; ++i) x[i] += position[i];
  }
}

void DecoderPass::normalise(size_t rows, const NormWeights& norm,
                            std::initializer_list<const LinearWeights*> users) {
  const size_t d = shape_.width();
  const PreparedRows::Forms forms = forms_of(users);
  team_.for_each(rows, [&](size_t r, size_t member) {
    layer_norm(std::span(x_).subspan(r * d, d), norm.gain, norm.bias, row_[member]);
    narrow_->set(r, row_[member].data(), forms);
  });
}

void DecoderPass::prepare(PreparedRows& prepared, const std::vector<float>& from, size_t rows,
                          const LinearWeights& user) {
  const PreparedRows::Forms forms = forms_of({&user});
  team_.for_each(rows, [&](size_t r, size_t) {
    prepared.set(r, from.data() + r * prepared.columns(), forms);
  });
}

void DecoderPass::multiply_all(std::initializer_list<Product> products, const PreparedRows& in,
                               size_t rows, Into into, Then then) {
  struct Task {
    const Product* product;
    const StoredMatrix* part;
    size_t offset;  // of the part among the outputs
    size_t first, last;
  };
  std::vector<Task> tasks;
  for (const Product& product : products) {
    size_t offset = 0;
    for (const StoredMatrix& part : product.linear->parts) {
      const size_t outputs = outputs_of_task(part);
      for (size_t first = 0; first < part.rows; first += outputs) {
        tasks.push_back({&product, &part, offset, first, std::min(first + outputs, part.rows)});
      }
      offset += part.rows;
    }
  }
  team_.for_each(tasks.size(), [&](size_t i, size_t) {
    const Task& task = tasks[i];
    const LinearWeights& linear = *task.product->linear;
    float* const out = task.product->out->data() + task.offset;
    multiply(*task.part, in, rows, task.first, task.last,
             {.out = out,
              .stride = linear.outputs,
              .bias = linear.bias.empty() ? nullptr : linear.bias.data() + task.offset,
              .add = into == Into::sum});
    if (then != Then::gelu) return;
    for (size_t r = 0; r < rows; ++r) {
      gelu({out + r * linear.outputs + task.first, task.last - task.first});
    }
  });
}

void DecoderPass::self_attention(size_t layer, std::span<const Row> rows) {
  const size_t d = shape_.width();
  const size_t e = shape_.head_size;
  SlotCache& cache = caches_[layer];
  for (size_t r = 0; r < rows.size(); ++r) {
    const size_t slot = rows[r].slots.back() * d;
    std::copy_n(k_.data() + r * d, d, cache.keys.get() + slot);
    std::copy_n(v_.data() + r * d, d, cache.values.get() + slot);
    for (size_t i = 0; i < d; ++i) q_[r * d + i] *= query_factor_;
  }
  team_.for_each(rows.size() * shape_.heads, [&](size_t i, size_t member) {
    const size_t r = i / shape_.heads;
    const size_t column = i % shape_.heads * e;
    attend(std::span(q_).subspan(r * d + column, e), cache.keys.get() + column,
           cache.values.get() + column, d, rows[r].slots, scores_[member],
           std::span(mixed_).subspan(r * d + column, e));
  });
}

void DecoderPass::cross_attention(size_t layer, size_t rows, const Capture* capture) {
  for (size_t i = 0; i < rows * shape_.width(); ++i) q_[i] *= query_factor_;
  const size_t groups = (rows + kRowsOfScores - 1) / kRowsOfScores;
  team_.for_each(shape_.heads * groups, [&](size_t i, size_t member) {
    const size_t begin = i % groups * kRowsOfScores;
    cross_attention_of(layer, i / groups, begin, std::min(kRowsOfScores, rows - begin),
                       scores_[member].data(), capture);
  });
}

/// Of one head, for `count` rows from `begin` on.
void DecoderPass::cross_attention_of(size_t layer, size_t head, size_t begin, size_t count,
                                     float* scores, const Capture* capture) {
  const size_t d = shape_.width();
  const WindowCache& window = windows_[layer];
  const size_t first = begin * d + head * shape_.head_size;
  window.scores(head, q_.data() + first, d, count, scores);
  if (capture != nullptr) {
    const std::pair here(static_cast<int>(layer), static_cast<int>(head));
    for (size_t h = 0; h < capture->heads.size(); ++h) {
      if (capture->heads[h] != here) continue;
      float* const to = capture->scores + h * capture->head_stride + begin * capture->row_stride;
      for (size_t r = 0; r < count; ++r) {
        float* const row = to + r * capture->row_stride;
        std::copy_n(scores + r * window.stride(), contiguous_, row);
        std::fill(row + contiguous_, row + capture->row_stride, kNowhere);
      }
    }
  }
  for (size_t r = 0; r < count; ++r) {
    const std::span<float> row(scores + r * window.stride(), window.stride());
    for (size_t t = 0; t < bias_.size(); ++t) row[t] += bias_[t];
    softmax(row.first(window.positions()));
    std::ranges::fill(row.subspan(window.positions()), 0.0F);
  }
  window.mix(head, scores, count, mixed_.data() + first, d);
}

void DecoderPass::compute_logits(size_t rows, size_t first) {
  const size_t d = shape_.width();
  const size_t count = rows - first;
  size_t offset = 0;
  for (const StoredMatrix& part : weights_->logits.parts) {
    PreparedRows::Forms forms;
    forms.add(part);
    std::vector<float> common(part.column_offsets.empty() ? 0 : count);  // of all outputs of a row
    team_.for_each(count, [&](size_t r, size_t member) {
      std::vector<float>& row = row_[member];
      layer_norm(std::span(x_).subspan((first + r) * d, d), weights_->norm.gain,
                 weights_->norm.bias, row);
      if (!common.empty()) {
        common[r] = std::inner_product(row.begin(), row.end(), part.column_offsets.begin(), 0.0F);
      }
      for (size_t i = 0; i < part.column_factors.size(); ++i) row[i] *= part.column_factors[i];
      if (part.spread) spreading_.apply(row);
      narrow_->set(r, row.data(), forms);
    });
    const size_t outputs = outputs_of_task(part);
    float* const out = logits_.data() + offset;
    const size_t stride = weights_->logits.outputs;
    team_.for_each((part.rows + outputs - 1) / outputs, [&](size_t i, size_t) {
      const size_t begin = i * outputs;
      const size_t end = std::min(begin + outputs, part.rows);
      multiply(part, *narrow_, count, begin, end, {.out = out, .stride = stride});
      for (size_t r = 0; r < common.size(); ++r) {
        for (size_t j = begin; j < end; ++j) out[r * stride + j] += common[r];
      }
    });
    offset += part.rows;
  }
}

}  // namespace whisper_s4y
