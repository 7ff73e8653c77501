#include "decoding/search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "decoding/logit_math.h"
#include "decoding/loop_guard.h"

namespace whisper_s4y {
namespace {

struct Choice {
  int token;
  float logprob;
};

// Chooses from rows of logits; keeps the working row so that a step allocates nothing.
class Chooser {
 public:
  explicit Chooser(const LogitRules& rules) : rules_(rules) {}

  // Filters a copy of `logits` for the position after `sampled`; valid until the next call.
  std::span<float> filter(std::span<const float> logits, std::span<const int> sampled) {
    row_.assign(logits.begin(), logits.end());
    rules_.apply(row_, sampled);
    return row_;
  }

  Choice most_likely(std::span<const float> logits, std::span<const int> sampled) {
    const auto row = filter(logits, sampled);
    const int token = argmax(row);
    return {token, row[static_cast<size_t>(token)] - log_sum_exp(row)};
  }

  Choice random(std::span<const float> logits, std::span<const int> sampled, float temperature,
                Random& random) {
    const auto row = filter(logits, sampled);
    probabilities_.resize(row.size());
    double rest = exp_scaled(row, temperature, probabilities_) * random.uniform();
    // Rounding may leave a rest at the end of the row: then the last possible token is meant.
    int token = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i] <= kMaskedLogit / 2) continue;
      token = static_cast<int>(i);
      rest -= probabilities_[i];
      if (rest < 0) break;
    }
    return {token, row[static_cast<size_t>(token)] - log_sum_exp(row)};
  }

 private:
  const LogitRules& rules_;
  std::vector<float> row_;
  std::vector<float> probabilities_;
};

bool in_loop(const SearchLimits& limits, std::span<const int> tokens) {
  return limits.loop_guard && loop_end(tokens, *limits.loop_guard);
}

template <typename Choose>
Hypothesis follow(DecoderModel& model, const SearchStart& start, const SearchLimits& limits,
                  const OnToken& on_token, const Choose& choose) {
  Hypothesis result{.tokens = start.prefix};
  std::span<const float> logits = start.logits;
  for (int position = start.position;; ++position) {
    const Choice next = choose(logits, result.tokens);
    result.sum_logprob += next.logprob;
    if (next.token == limits.eot) return result;
    result.tokens.push_back(next.token);
    result.logprobs.push_back(next.logprob);
    if (on_token) on_token(next.token);
    result.looped = in_loop(limits, result.tokens);
    if (result.looped || is_at_limit(start, limits, result)) return result;
    logits = model.decode({&next.token, 1}, position);
  }
}

// Up to model.max_beams() samples in one batch; rows that have ended leave the batch.
void sample_batch(DecoderModel& model, const SearchStart& start, const SearchLimits& limits,
                  const OnToken& on_token, Chooser& chooser, float temperature, Random& random,
                  std::span<Hypothesis> batch) {
  std::vector<size_t> running;  // index into `batch` of every row of the model's batch
  std::vector<int> tokens;
  std::vector<int> parents;
  const auto advance = [&](size_t index, std::span<const float> logits, int row) {
    Hypothesis& hypothesis = batch[index];
    const Choice next = chooser.random(logits, hypothesis.tokens, temperature, random);
    hypothesis.sum_logprob += next.logprob;
    if (next.token == limits.eot) return;
    hypothesis.tokens.push_back(next.token);
    hypothesis.logprobs.push_back(next.logprob);
    if (on_token) on_token(next.token);
    hypothesis.looped = in_loop(limits, hypothesis.tokens);
    if (hypothesis.looped || is_at_limit(start, limits, hypothesis)) return;
    running.push_back(index);
    tokens.push_back(next.token);
    parents.push_back(row);
  };

  model.start_beams(start.position);
  for (size_t i = 0; i < batch.size(); ++i) advance(i, start.logits, static_cast<int>(i));
  for (int position = start.position; !running.empty(); ++position) {
    const auto logits = model.decode_beams(tokens, parents, position);
    const size_t vocab_size = start.logits.size();
    const std::vector<size_t> rows = std::exchange(running, {});
    tokens.clear();
    parents.clear();
    for (size_t row = 0; row < rows.size(); ++row) {
      advance(rows[row], logits.subspan(row * vocab_size, vocab_size), static_cast<int>(row));
    }
  }
}

}  // namespace

bool is_at_limit(const SearchStart& start, const SearchLimits& limits,
                 const Hypothesis& hypothesis) {
  const auto count = static_cast<int>(hypothesis.tokens.size() - start.prefix.size());
  return count >= limits.max_tokens || start.position + count > limits.max_length;
}

Hypothesis greedy_search(DecoderModel& model, const SearchStart& start, const LogitRules& rules,
                         const SearchLimits& limits, const OnToken& on_token) {
  Chooser chooser(rules);
  return follow(model, start, limits, on_token,
                [&](std::span<const float> logits, std::span<const int> sampled) {
                  return chooser.most_likely(logits, sampled);
                });
}

std::vector<Hypothesis> sample(DecoderModel& model, const SearchStart& start,
                               const LogitRules& rules, const SearchLimits& limits,
                               float temperature, int count, Random& random,
                               const OnToken& on_token) {
  Chooser chooser(rules);
  std::vector<Hypothesis> result(static_cast<size_t>(count), {.tokens = start.prefix});
  if (count > 1 && model.max_beams() > 1) {
    const auto batch_size = static_cast<size_t>(model.max_beams());
    for (size_t begin = 0; begin < result.size(); begin += batch_size) {
      const size_t size = std::min(batch_size, result.size() - begin);
      sample_batch(model, start, limits, on_token, chooser, temperature, random,
                   std::span(result).subspan(begin, size));
    }
    return result;
  }
  for (Hypothesis& hypothesis : result) {
    hypothesis = follow(model, start, limits, on_token,
                        [&](std::span<const float> logits, std::span<const int> sampled) {
                          return chooser.random(logits, sampled, temperature, random);
                        });
  }
  return result;
}

std::vector<Hypothesis> beam_search(DecoderModel& model, const SearchStart& start,
                                    const LogitRules& rules, const SearchLimits& limits,
                                    int beam_size, float patience, const OnToken& on_token) {
  struct Candidate {
    int parent;  // row of the beam it continues
    int token;
    float sum_logprob;
  };
  // Python's round(): halves go to the even neighbour.
  const auto wanted =
      static_cast<size_t>(std::max(1.0, std::nearbyint(static_cast<double>(beam_size) * patience)));
  Chooser chooser(rules);
  std::vector<Hypothesis> finished;
  std::vector<Hypothesis> looped;
  // All beams are equal before the first token.
  std::vector<Hypothesis> beams = {{.tokens = start.prefix}};
  std::vector<Candidate> candidates;
  std::vector<ScoredToken> best;
  std::vector<int> tokens;
  std::vector<int> parents;
  std::span<const float> logits = start.logits;
  const size_t vocab_size = start.logits.size();

  model.start_beams(start.position);
  for (int position = start.position;; ++position) {
    candidates.clear();
    for (size_t row = 0; row < beams.size(); ++row) {
      const auto filtered =
          chooser.filter(logits.subspan(row * vocab_size, vocab_size), beams[row].tokens);
      const float normaliser = log_sum_exp(filtered);
      top_logits(filtered, beam_size + 1, best);
      for (const ScoredToken& token : best) {
        if (token.logit <= kMaskedLogit / 2) break;  // fewer tokens are allowed than asked for
        candidates.push_back(
            {static_cast<int>(row), token.id, beams[row].sum_logprob + (token.logit - normaliser)});
      }
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& left, const auto& right) {
      return left.sum_logprob > right.sum_logprob;
    });

    std::vector<Hypothesis> next;
    tokens.clear();
    parents.clear();
    for (const Candidate& candidate : candidates) {
      const Hypothesis& parent = beams[static_cast<size_t>(candidate.parent)];
      if (candidate.token == limits.eot) {
        if (finished.size() < wanted) {
          finished.push_back({parent.tokens, candidate.sum_logprob, parent.logprobs});
        }
        continue;
      }
      Hypothesis child{parent.tokens, candidate.sum_logprob, parent.logprobs};
      child.tokens.push_back(candidate.token);
      child.logprobs.push_back(candidate.sum_logprob - parent.sum_logprob);
      child.looped = in_loop(limits, child.tokens);
      if (child.looped) {
        looped.push_back(std::move(child));
        // Beams behind the likeliest one escape by a token, and go on repeating themselves.
        if (next.empty()) break;
        continue;
      }
      next.push_back(std::move(child));
      tokens.push_back(candidate.token);
      parents.push_back(candidate.parent);
      if (next.size() == static_cast<size_t>(beam_size)) break;
    }
    beams = std::move(next);
    if (on_token && !beams.empty()) on_token(beams.front().tokens.back());
    if (finished.size() >= wanted || beams.empty() || is_at_limit(start, limits, beams.front())) {
      break;
    }
    logits = model.decode_beams(tokens, parents, position);
  }

  // Unfinished beams are in descending order already.
  for (Hypothesis& beam : beams) {
    if (finished.size() >= static_cast<size_t>(beam_size)) break;
    finished.push_back(std::move(beam));
  }
  return finished.empty() ? looped : finished;
}

size_t best_hypothesis(std::span<const Hypothesis> hypotheses, size_t prefix_size,
                       std::optional<float> length_penalty) {
  const auto score = [&](const Hypothesis& hypothesis) {
    const auto length = static_cast<double>(hypothesis.tokens.size() - prefix_size);
    const double penalty =
        length_penalty ? std::pow((5.0 + length) / 6.0, static_cast<double>(*length_penalty))
                       : std::max(length, 1.0);
    return hypothesis.sum_logprob / penalty;
  };
  size_t best = 0;
  for (size_t i = 1; i < hypotheses.size(); ++i) {
    const auto rank = [&](size_t index) {
      return std::pair(!hypotheses[index].looped, score(hypotheses[index]));
    };
    if (rank(i) > rank(best)) best = i;
  }
  return best;
}

}  // namespace whisper_s4y
