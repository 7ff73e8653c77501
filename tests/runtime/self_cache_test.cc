#include "runtime/self_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/ops.h"
#include "support/errors.h"
#include "support/files.h"
#include "tflite/memory_model.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kPositions = 6;
using Row = std::vector<float>;

/// A signature "write" with the caches self_k f32[hypotheses, 2, 6, width] and
/// self_v f32[hypotheses, 2, width, 6]. It writes values f32[hypotheses] to all numbers at
/// `position`, and says in keys and in values f32[hypotheses, 6] what is at each position.
void add_write(Module& module, int hypotheses, int width) {
  Graph& g = module.add_graph("write");
  const Value k = g.input("self_k", DType::f32, {hypotheses, 2, kPositions, width});
  const Value v = g.input("self_v", DType::f32, {hypotheses, 2, width, kPositions});
  const Value number =
      reshape(g, g.input("number", DType::f32, {hypotheses}), {hypotheses, 1, 1, 1});
  const Value position = g.input("position", DType::i32, {1});
  const Value zero = g.constant_i32({0});
  const Value new_k = dynamic_update_slice(g, k, broadcast_to(g, number, {hypotheses, 2, 1, width}),
                                           concat(g, {zero, zero, position, zero}, 0));
  const Value new_v = dynamic_update_slice(g, v, broadcast_to(g, number, {hypotheses, 2, width, 1}),
                                           concat(g, {zero, zero, zero, position}, 0));
  module.add_signature("write", g,
                       {{"new_self_k", new_k},
                        {"new_self_v", new_v},
                        {"keys", mean(g, new_k, {1, 3}, false)},
                        {"values", mean(g, new_v, {1, 2}, false)}});
}

std::shared_ptr<const TfliteFile> model_of(int hypotheses, int width) {
  Module module;
  add_write(module, hypotheses, width);
  return tflite_in_memory(module, "cache.tflite");
}

/// Hypotheses that hold one number a position.
class Hypotheses {
 public:
  explicit Hypotheses(int hypotheses, int width = 3)
      : model_(model_of(hypotheses, width), {.threads = 1, .use_cache = false}) {
    cache.bind(signature_);
    signature_.bind_input("number", number_);
    signature_.bind_input("position", position_);
    signature_.bind_output("keys", keys_);
    signature_.bind_output("values", values_);
  }

  void write(int position, const Row& numbers) {
    put(position, numbers);
    for (int i = 0; i < cache.hypotheses(); ++i) cache.wrote(i, position, 1);
  }

  /// The numbers of a hypothesis at positions 0 to `length` - 1. Writes to the last position.
  Row read(int hypothesis, int length) {
    put(kPositions - 1, Row(static_cast<size_t>(cache.hypotheses()), 0.0F));
    const auto begin = static_cast<ptrdiff_t>(hypothesis) * kPositions;
    const auto keys = std::as_const(keys_).as<float>();
    const auto values = std::as_const(values_).as<float>();
    Row row(keys.begin() + begin, keys.begin() + begin + length);
    EXPECT_EQ(row, Row(values.begin() + begin, values.begin() + begin + length));
    return row;
  }

 private:
  void put(int position, const Row& numbers) {
    std::ranges::copy(numbers, number_.as<float>().begin());
    position_.as<int32_t>()[0] = position;
    signature_.run();
  }

  LiteRtModel model_;
  LiteRtSignature& signature_ = model_.signature("write");
  AlignedBuffer number_{signature_.input("number")};
  AlignedBuffer position_{signature_.input("position")};
  AlignedBuffer keys_{signature_.output("keys")};
  AlignedBuffer values_{signature_.output("values")};

 public:
  SelfCache cache{signature_, kPositions};
};

TEST(SelfCache, RemembersHowFarEachHypothesisHasCome) {
  Hypotheses two(2);
  EXPECT_EQ(two.cache.hypotheses(), 2);
  EXPECT_EQ(two.cache.positions(), kPositions);
  two.write(0, {1, 2});
  two.write(1, {3, 4});
  EXPECT_EQ(two.cache.length(0), 2);
  two.cache.truncate(0, 1);
  EXPECT_EQ(two.cache.length(0), 1);
  EXPECT_EQ(two.cache.length(1), 2);
  two.cache.truncate(1, 5);
  EXPECT_EQ(two.cache.length(1), 2);
  two.cache.wrote(1, 0, 1);  // what was after it is gone
  EXPECT_EQ(two.cache.length(1), 1);
}

TEST(SelfCache, RefusesGapsAndPositionsPastTheLast) {
  Hypotheses one(1);
  EXPECT_THAT(message_of([&] { one.cache.wrote(0, 1, 1); }), HasSubstr("position 1"));
  EXPECT_THAT(message_of([&] { one.cache.wrote(0, -1, 1); }), HasSubstr("position -1"));
  EXPECT_THAT(message_of([&] { one.cache.wrote(0, 0, kPositions + 1); }), HasSubstr("7 rows"));
  one.cache.wrote(0, 0, kPositions);
  EXPECT_THAT(message_of([&] { one.cache.wrote(0, kPositions, 1); }), HasSubstr("position 6"));
}

TEST(SelfCache, ReordersAlongACycle) {
  Hypotheses three(3);
  three.write(0, {1, 2, 3});
  three.write(1, {4, 5, 6});
  three.cache.reorder(std::vector{1, 2, 0}, 2);
  EXPECT_THAT(three.read(0, 2), ElementsAre(2, 5));
  EXPECT_THAT(three.read(1, 2), ElementsAre(3, 6));
  EXPECT_THAT(three.read(2, 2), ElementsAre(1, 4));
}

TEST(SelfCache, ReordersTwoCyclesAtOnce) {
  Hypotheses four(4);
  four.write(0, {1, 2, 3, 4});
  four.cache.reorder(std::vector{1, 0, 3, 2}, 1);
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(four.read(i, 1), ElementsAre(std::vector<float>{2, 1, 4, 3}[size_t(i)])) << i;
  }
}

TEST(SelfCache, OneParentMayHaveManyChildrenAndACycleBesides) {
  Hypotheses five(5);
  five.write(0, {1, 2, 3, 4, 5});
  five.cache.reorder(std::vector{1, 0, 0, 1, 1}, 1);
  Row firsts;
  for (int i = 0; i < 5; ++i) firsts.push_back(five.read(i, 1)[0]);
  EXPECT_THAT(firsts, ElementsAre(2, 1, 1, 2, 2));
}

TEST(SelfCache, OnlyWhatDiffersIsCopied) {
  Hypotheses two(2);
  two.write(0, {7, 8});
  two.cache.reorder(std::vector{0, 0}, 1);  // the same from here on
  two.write(1, {1, 2});
  two.cache.reorder(std::vector{1, 0}, 2);
  EXPECT_THAT(two.read(0, 2), ElementsAre(7, 2));
  EXPECT_THAT(two.read(1, 2), ElementsAre(7, 1));
  two.cache.reorder(std::vector{0, 0}, 1);  // shorter: the rest is forgotten
  EXPECT_EQ(two.cache.length(0), 1);
  EXPECT_THAT(two.read(1, 1), ElementsAre(7));
}

TEST(SelfCache, FewerParentsThanHypothesesLeaveTheOthers) {
  Hypotheses three(3);
  three.write(0, {1, 2, 3});
  three.cache.reorder(std::vector{2}, 1);
  EXPECT_THAT(three.read(0, 1), ElementsAre(3));
  EXPECT_THAT(three.read(1, 1), ElementsAre(2));
}

TEST(SelfCache, RefusesParentsThatAreNotThere) {
  Hypotheses two(2);
  two.write(0, {1, 2});
  EXPECT_THAT(message_of([&] {
                two.cache.reorder(std::vector{0, 2}, 1);
              }),
              HasSubstr("hypothesis 2"));
  EXPECT_THAT(message_of([&] { two.cache.reorder(std::vector{-1}, 1); }),
              HasSubstr("hypothesis -1"));
  EXPECT_THAT(message_of([&] { two.cache.reorder(std::vector{0}, 2); }),
              HasSubstr("has not come so far"));
  EXPECT_THAT(message_of([&] { two.cache.reorder(std::vector{0}, -1); }), HasSubstr("position -1"));
  EXPECT_THAT(message_of([&] {
                two.cache.reorder(std::vector{0, 0, 0}, 1);
              }),
              HasSubstr("2 hypotheses, not 3"));
  EXPECT_EQ(two.cache.length(0), 1);  // nothing has changed
}

TEST(SelfCache, EveryHypothesisStartsFromTheOnlyOne) {
  Hypotheses one(1);
  Hypotheses three(3);
  for (int position = 0; position < 3; ++position) {
    one.write(position, {static_cast<float>(10 + position)});
  }
  three.cache.copy_from(one.cache, 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(three.cache.length(i), 2);
    EXPECT_THAT(three.read(i, 2), ElementsAre(10, 11)) << i;
  }
  three.write(2, {1, 2, 3});
  three.cache.copy_from(one.cache, 3);
  EXPECT_THAT(three.read(1, 3), ElementsAre(10, 11, 12));
}

TEST(SelfCache, RefusesToStartFromMoreThanThereIs) {
  Hypotheses one(1);
  Hypotheses two(2);
  one.write(0, {1});
  EXPECT_THAT(message_of([&] { two.cache.copy_from(one.cache, 2); }),
              HasSubstr("only 1 positions were fed"));
  EXPECT_THAT(message_of([&] { two.cache.copy_from(one.cache, -1); }), HasSubstr("position -1"));
}

TEST(SelfCache, RefusesToStartFromTensorsOfAnotherShape) {
  Hypotheses one(1, 3);
  Hypotheses wider(2, 4);
  one.write(0, {1});
  EXPECT_THAT(message_of([&] { wider.cache.copy_from(one.cache, 1); }),
              HasSubstr("other names or shapes"));
}

/// What the cache says of a signature with these inputs.
std::string refusal(const std::vector<std::pair<std::string, Shape>>& inputs) {
  Module module;
  Graph& g = module.add_graph("write");
  std::vector<NamedValue> outputs;
  for (const auto& [name, shape] : inputs) {
    const Value value = g.input(name, DType::f32, shape);
    outputs.emplace_back("new_" + name, add(g, value, value));
  }
  module.add_signature("write", g, std::move(outputs));
  LiteRtModel model(tflite_in_memory(module, "cache.tflite"), {.threads = 1, .use_cache = false});
  return message_of([&] { SelfCache cache(model.signature("write"), kPositions); });
}

TEST(SelfCache, RefusesTensorsThatAreNoCache) {
  EXPECT_THAT(refusal({{"other", {1, 6, 3}}}), HasSubstr("no input \"self_...\""));
  EXPECT_THAT(refusal({{"self_k", {1, 2, 5}}}), HasSubstr("no cache of 6 positions"));
  EXPECT_THAT(refusal({{"self_k", {1, 6, 6}}}), HasSubstr("no cache of 6 positions"));
  EXPECT_THAT(refusal({{"self_k", {2, 6, 3}}, {"self_v", {1, 6, 3}}}),
              HasSubstr("not for 2 hypotheses"));
}

}  // namespace
}  // namespace whisper_s4y
