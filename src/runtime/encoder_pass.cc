#include "runtime/encoder_pass.h"

#include <algorithm>

#include "kernels/row_ops.h"

namespace whisper_s4y {
namespace {

// Rows of activations that are wide at once: enough that turning weights into panels is little
// beside them.
constexpr size_t kRowsOfPiece = 750;
static_assert(kRowsOfPiece % kTileRows == 0);

constexpr size_t kRowsOfNorm = 16;    // a task
constexpr size_t kTasksOfMember = 4;  // as many at least, so that nobody waits long for the last
constexpr size_t kLeastRows = 96;     // of a task

/// In what form rows are multiplied with all of these.
NumberForm form_for(std::initializer_list<const LinearWeights*> users) {
  bool only_int8 = true;
  for (const LinearWeights* user : users) {
    for (const StoredMatrix& part : user->parts) {
      if (part.kind == WeightKind::f32) return NumberForm::floats;
      only_int8 = only_int8 && part.kind == WeightKind::i8;
    }
  }
  return fastest_form(only_int8);
}

AttentionShape shape_of(const ModelConfig& config) {
  return {static_cast<size_t>(config.encoder_attention_heads),
          static_cast<size_t>(config.d_model / config.encoder_attention_heads)};
}

}  // namespace

EncoderPass::EncoderPass(std::shared_ptr<const EncoderWeights> weights, TaskTeam& team)
    : weights_(std::move(weights)),
      team_(team),
      positions_(static_cast<size_t>(weights_->config.max_source_positions)),
      d_(static_cast<size_t>(weights_->config.d_model)),
      ffn_(static_cast<size_t>(weights_->config.encoder_ffn_dim)),
      bins_(static_cast<size_t>(weights_->config.num_mel_bins)),
      rows_(positions_),
      attention_(shape_of(weights_->config), positions_,
                 weights_->exact ? NumberForm::floats : fastest_form(false)),
      members_(team.size()) {
  // Of the rows that a convolution sees the last tile may be filled up.
  const size_t frames = 2 * positions_ + 2 + 2 * kTileRows;
  x_.resize(std::max(positions_ * d_, frames * bins_));
  between_.resize(std::max({2 * positions_ * d_, kRowsOfPiece * ffn_, frames * d_}));
  for (Member& member : members_) member.row.resize(std::max(d_, ffn_));
}

template <typename Work>
void EncoderPass::for_each(size_t count, const Work& work) {
  team_.for_each(count, [&](size_t task, size_t member) {
    if (stopped_.load(std::memory_order_relaxed)) return;
    // The caller is asked in its own thread.
    if (member == 0 && cancellation_ != nullptr && cancellation_->requested()) {
      stopped_.store(true, std::memory_order_relaxed);
      return;
    }
    work(task, member);
  });
  if (stopped_.load(std::memory_order_relaxed)) cancellation_->stop();
}

void EncoderPass::encode(std::span<const float> input_features, const WindowPositions* positions,
                         Cancellation* cancellation) {
  cancellation_ = cancellation;
  stopped_ = false;
  rows_ = positions == nullptr ? positions_ : positions->size();
  attention_.use(rows_,
                 positions == nullptr ? std::span<const float>() : positions->multiplicities);
  embed(input_features, positions);
  for (const EncoderLayerWeights& layer : weights_->layers) {
    self_attention(layer);
    feed_forward(layer);
  }
  for_each((rows_ + kRowsOfNorm - 1) / kRowsOfNorm, [&](size_t i, size_t) {
    for (size_t r = i * kRowsOfNorm; r < std::min((i + 1) * kRowsOfNorm, rows_); ++r) {
      const std::span<float> row = std::span(x_).subspan(r * d_, d_);
      layer_norm(row, weights_->norm.gain, weights_->norm.bias, row);
    }
  });
}

void EncoderPass::set_windows(std::span<WindowCache> windows, Cancellation* cancellation) {
  cancellation_ = cancellation;
  stopped_ = false;
  float* const keys = between_.data();
  float* const values = keys + rows_ * d_;
  for (size_t layer = 0; layer < windows.size(); ++layer) {
    const CrossWeights& cross = weights_->cross[layer];
    prepare(narrow_, x_.data(), rows_, nullptr, {&cross.k, &cross.v});
    multiply_all({{&cross.k, keys}, {&cross.v, values}}, narrow_.view(), rows_, {});
    for_each(windows[layer].shape().heads,
             [&](size_t head, size_t) { windows[layer].set(head, keys, values); });
  }
}

/// What the convolutions make of the features, and where in the window it is.
void EncoderPass::embed(std::span<const float> input_features, const WindowPositions* positions) {
  const size_t contiguous = positions == nullptr ? positions_ : positions->contiguous;
  // All sampled positions see padding alone, as does the first one that is not contiguous.
  const size_t seen = contiguous + (rows_ > contiguous ? 1 : 0);
  pad_features(input_features, 2 * seen);
  // The second convolution has a row of zeros before and after what it sees.
  std::fill_n(between_.begin(), d_, 0.0F);
  std::fill_n(between_.begin() + static_cast<ptrdiff_t>((2 * seen + 1) * d_), d_, 0.0F);
  convolve(weights_->conv1, x_.data(), 2 * seen, bins_, between_.data() + d_, false);
  weights_->positions.read_rows(0, contiguous, std::span(x_).first(contiguous * d_));
  std::fill_n(x_.begin() + static_cast<ptrdiff_t>(contiguous * d_), (seen - contiguous) * d_, 0.0F);
  convolve(weights_->conv2, between_.data(), seen, 2 * d_, x_.data(), true);
  if (rows_ == contiguous) return;
  const std::span<float> padding = std::span(between_).first(d_);
  std::ranges::copy(std::span(x_).subspan(contiguous * d_, d_), padding.begin());
  for (size_t r = contiguous; r < rows_; ++r) {
    const std::span<float> row = std::span(x_).subspan(r * d_, d_);
    weights_->positions.read_rows(positions->sampled[r - contiguous], 1, row);
    for (size_t i = 0; i < d_; ++i) row[i] += padding[i];
  }
}

/// The first `frames` to rows of frames, with those before and after, which are zeros outside the
/// window.
void EncoderPass::pad_features(std::span<const float> input_features, size_t frames) {
  const size_t all = 2 * positions_;
  std::fill_n(x_.begin(), bins_, 0.0F);
  std::fill_n(x_.begin() + static_cast<ptrdiff_t>((frames + 1) * bins_), bins_, 0.0F);
  for (size_t frame = 0; frame < std::min(frames + 1, all); ++frame) {
    float* to = x_.data() + (frame + 1) * bins_;
    for (size_t bin = 0; bin < bins_; ++bin) to[bin] = input_features[bin * all + frame];
  }
}

void EncoderPass::convolve(const LinearWeights& kernel, const float* padded, size_t rows,
                           size_t stride, float* out, bool add) {
  const NumberForm form = form_for({&kernel});
  if (form == NumberForm::floats) {
    multiply_all({{&kernel, out}},
                 {.form = form, .numbers = padded, .stride = stride, .columns = kernel.inputs},
                 rows, {.gelu = true, .add = add});
    return;
  }
  for (size_t first = 0; first < rows; first += kRowsOfPiece) {
    const size_t count = std::min(kRowsOfPiece, rows - first);
    wide_.use(form, count, kernel.inputs);
    for_each((count + kRowsOfNorm - 1) / kRowsOfNorm, [&](size_t i, size_t) {
      for (size_t r = i * kRowsOfNorm; r < std::min((i + 1) * kRowsOfNorm, count); ++r) {
        wide_.set(r, padded + (first + r) * stride);
      }
    });
    multiply_all({{&kernel, out + first * kernel.outputs}}, wide_.view(), count,
                 {.gelu = true, .add = add});
  }
}

void EncoderPass::self_attention(const EncoderLayerWeights& layer) {
  float* const k = between_.data();
  float* const v = k + rows_ * d_;
  prepare(narrow_, x_.data(), rows_, &layer.attention_norm, {&layer.q, &layer.k, &layer.v});
  multiply_all({{&layer.k, k}, {&layer.v, v}}, narrow_.view(), rows_, {});
  const size_t heads = shape_of(weights_->config).heads;
  for_each(heads, [&](size_t head, size_t) { attention_.set(head, k, v); });
  float* const q = k;  // which are where the attention wants them
  multiply_all({{&layer.q, q}}, narrow_.view(), rows_, {});
  constexpr size_t kRows = WindowAttention::kMostRows;
  const size_t blocks = (rows_ + kRows - 1) / kRows;
  for_each(heads * blocks, [&](size_t i, size_t member) {
    const size_t begin = i % blocks * kRows;
    attention_.attend(i / blocks, q, begin, std::min(kRows, rows_ - begin),
                      members_[member].scratch, q);
  });
  prepare(narrow_, q, rows_, nullptr, {&layer.out});
  multiply_all({{&layer.out, x_.data()}}, narrow_.view(), rows_, {.add = true});
}

void EncoderPass::feed_forward(const EncoderLayerWeights& layer) {
  for (size_t first = 0; first < rows_; first += kRowsOfPiece) {
    const size_t rows = std::min(kRowsOfPiece, rows_ - first);
    float* const x = x_.data() + first * d_;
    prepare(narrow_, x, rows, &layer.mlp_norm, {&layer.fc1});
    multiply_all({{&layer.fc1, between_.data()}}, narrow_.view(), rows, {.gelu = true});
    prepare(wide_, between_.data(), rows, nullptr, {&layer.fc2});
    multiply_all({{&layer.fc2, x}}, wide_.view(), rows, {.add = true});
  }
}

void EncoderPass::prepare(PanelRows& prepared, const float* from, size_t rows,
                          const NormWeights* norm,
                          std::initializer_list<const LinearWeights*> users) {
  const size_t columns = (*users.begin())->inputs;
  prepared.use(form_for(users), rows, columns);
  for_each((rows + kRowsOfNorm - 1) / kRowsOfNorm, [&](size_t i, size_t member) {
    for (size_t r = i * kRowsOfNorm; r < std::min((i + 1) * kRowsOfNorm, rows); ++r) {
      const float* row = from + r * columns;
      if (norm != nullptr) {
        const std::span<float> changed = std::span(members_[member].row).first(columns);
        layer_norm({row, columns}, norm->gain, norm->bias, changed);
        row = changed.data();
      }
      prepared.set(r, row);
    }
  });
}

void EncoderPass::multiply_all(std::initializer_list<Product> products, const RowsView& in,
                               size_t rows, Then then) {
  struct Task {
    const Product* product;
    const StoredMatrix* part;
    size_t offset;  // of the part among the outputs
    size_t first;   // output of the part
  };
  std::vector<Task> panels;
  for (const Product& product : products) {
    size_t offset = 0;
    for (const StoredMatrix& part : product.linear->parts) {
      for (size_t first = 0; first < part.rows; first += kPanelOutputs) {
        panels.push_back({&product, &part, offset, first});
      }
      offset += part.rows;
    }
  }
  size_t chunk = whole(rows, kTileRows);
  const auto chunks = [&] { return (rows + chunk - 1) / chunk; };
  while (chunk / 2 >= kLeastRows && panels.size() * chunks() < kTasksOfMember * team_.size()) {
    chunk = whole(chunk / 2, kTileRows);
  }
  // Chunk by chunk, whose rows stay in the caches.
  for_each(panels.size() * chunks(), [&](size_t i, size_t member) {
    const Task& task = panels[i % panels.size()];
    const size_t begin = i / panels.size() * chunk;
    const LinearWeights& linear = *task.product->linear;
    Panel& panel = members_[member].panel;
    panel.pack(*task.part, task.first, in.form);
    panel.multiply(in, begin, std::min(begin + chunk, rows),
                   {.out = task.product->out + task.offset,
                    .stride = linear.outputs,
                    .bias = linear.bias.empty() ? nullptr : linear.bias.data() + task.offset,
                    .gelu = then.gelu,
                    .add = then.add});
  });
}

}  // namespace whisper_s4y
