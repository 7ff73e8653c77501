#include "runtime/litert_log.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "runtime/litert_c.h"
#include "runtime/litert_library.h"
#include "runtime/test_model.h"
#include "support/files.h"

namespace whisper_s4y::litert {

namespace {

using ::testing::EndsWith;
using ::testing::IsEmpty;

/// A model of LiteRT that says what it is told to.
class LogCaptureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const LogCapture quiet;
    const TemporaryFolder folder;
    write_test_model(folder / "model.tflite");
    file_ = read_file(folder / "model.tflite");
    LiteRtOptionsT* options = nullptr;
    ASSERT_EQ(LiteRtCreateOptions(&options), kLiteRtStatusOk);
    ASSERT_EQ(LiteRtSetOptionsHardwareAccelerators(options, kLiteRtHwAcceleratorCpu),
              kLiteRtStatusOk);
    LiteRtOpaqueOptionsT* opaque = nullptr;
    ASSERT_EQ(LiteRtCreateOpaqueOptions("runtime_options_string",
                                        ::strdup("error_reporter_mode = 1\n"), &std::free, &opaque),
              kLiteRtStatusOk);
    ASSERT_EQ(LiteRtAddOpaqueOptions(options, opaque), kLiteRtStatusOk);
    ASSERT_EQ(LiteRtCreateModelFromBuffer(environment(), file_.data(), file_.size(), &model_),
              kLiteRtStatusOk);
    ASSERT_EQ(LiteRtCreateCompiledModel(environment(), model_, options, &compiled_),
              kLiteRtStatusOk);
    LiteRtDestroyOptions(options);
  }
  void TearDown() override {
    const LogCapture quiet;
    if (compiled_ != nullptr) LiteRtDestroyCompiledModel(compiled_);
    if (model_ != nullptr) LiteRtDestroyModel(model_);
  }
  // As LiteRT itself tells an error; the program tells none.
  void say(const char* error) {
    static const auto report = reinterpret_cast<decltype(&LiteRtCompiledModelReportError)>(::dlsym(
        ::dlopen(library().l_name, RTLD_NOW | RTLD_NOLOAD), "LiteRtCompiledModelReportError"));
    report(compiled_, "%s", error);
  }

 private:
  std::string file_;
  LiteRtModelT* model_ = nullptr;
  LiteRtCompiledModelT* compiled_ = nullptr;
};

TEST_F(LogCaptureTest, TakesWhatLiteRtPrints) {
  FILE* const before = stderr;
  ::testing::internal::CaptureStderr();
  std::string errors;
  {
    const LogCapture log;
    EXPECT_THAT(log.errors(), IsEmpty());
    say("no such op");
    say("no such op");  // as TFLite says many things twice
    say("no memory.");
    errors = log.errors();
    EXPECT_EQ(stderr, before);  // is the process's
    std::fputs("mine", stderr);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "mine");
  EXPECT_EQ(errors, "no such op; no memory");
}

TEST_F(LogCaptureTest, TheInnermostCollects) {
  const LogCapture outer;
  {
    const LogCapture inner;
    say("in");
    EXPECT_EQ(inner.errors(), "in");
  }
  EXPECT_THAT(outer.errors(), IsEmpty());
  say("out");
  EXPECT_EQ(outer.errors(), "out");
}

TEST_F(LogCaptureTest, IsForItsThreadAlone) {
  ::testing::internal::CaptureStderr();
  const LogCapture log;
  std::thread([&] { say("elsewhere"); }).join();
  EXPECT_THAT(log.errors(), IsEmpty());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), EndsWith("elsewhere\n"));
}

TEST_F(LogCaptureTest, WithoutOneLiteRtPrintsAsEver) {
  ::testing::internal::CaptureStderr();
  say("something");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), EndsWith("something\n"));
}

}  // namespace
}  // namespace whisper_s4y::litert
