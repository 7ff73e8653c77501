#include "whisper_s4y/session.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "common/boundary.h"
#include "common/fail.h"
#include "common/held.h"
#include "runtime/background.h"
#include "runtime/litert_model.h"
#include "runtime/model_state.h"

namespace whisper_s4y {
namespace {

int checked_threads(const SessionOptions& options) {
  options.validate();
  return options.threads;
}

}  // namespace

struct Session::Impl {
  enum class Side { input, output };
  using Place = std::pair<std::string, std::pair<Side, std::string>>;  // signature, tensor

  Impl(const Model& model_, const SessionOptions& options)
      : model(model_),
        state(*ModelState::of(model_)),
        runner(state.loaded(), checked_threads(options)) {}
  ~Impl() { runner.settle(); }  // before the memory goes

  [[nodiscard]] const TensorInfo& tensor(LiteRtSignature& signature, Side side,
                                         std::string_view name) const {
    return side == Side::input ? signature.input(name) : signature.output(name);
  }

  /// Throws Error when there is no such tensor.
  [[nodiscard]] Side side_of(std::string_view key, std::string_view name) {
    LiteRtSignature& signature = runner.signature(key);
    if (signature.has_output(name)) return Side::output;
    (void)signature.input(name);
    return Side::input;
  }

  void check_type(std::string_view key, Side side, std::string_view name, DType type) {
    const TensorInfo& info = tensor(runner.signature(key), side, name);
    if (info.dtype == type) return;
    fail(ErrorCode::invalid_argument, "{}: tensor \"{}\" {} of signature \"{}\" is not {}.",
         source(), name, info.description(), key, name_of(type));
  }

  AlignedBuffer& buffer(std::string_view key, Side side, std::string_view name) {
    LiteRtSignature& signature = runner.signature(key);
    const TensorInfo& info = tensor(signature, side, name);
    if (info.dtype == DType::string) {
      fail(ErrorCode::unsupported,
           "{}: tensor \"{}\" of signature \"{}\" holds strings, which a Session does not take.",
           source(), name, key);
    }
    std::shared_ptr<AlignedBuffer>& entry = buffers[{std::string(key), {side, std::string(name)}}];
    if (!entry) bind(signature, side, name, entry = std::make_shared<AlignedBuffer>(info));
    return *entry;
  }

  /// The same for spans, which stay valid whatever is bound later.
  AlignedBuffer& shown_buffer(std::string_view key, Side side, std::string_view name) {
    AlignedBuffer& current = buffer(key, side, name);
    shown.insert(buffers.at({std::string(key), {side, std::string(name)}}));
    return current;
  }

  static void bind(LiteRtSignature& signature, Side side, std::string_view name,
                   const std::shared_ptr<AlignedBuffer>& memory) {
    if (side == Side::input) {
      signature.bind_input(name, *memory);
    } else {
      signature.bind_output(name, *memory);
    }
  }

  void share(std::string_view key, Side side, std::string_view name, std::string_view from_key,
             Side from_side, std::string_view from_name) {
    (void)buffer(from_key, from_side, from_name);
    const std::shared_ptr<AlignedBuffer> memory =
        buffers.at({std::string(from_key), {from_side, std::string(from_name)}});
    const Place place{std::string(key), {side, std::string(name)}};
    bind(runner.signature(key), side, name, memory);
    std::shared_ptr<AlignedBuffer>& entry = buffers[place];
    own.try_emplace(place, entry);
    entry = memory;
  }

  /// Goes back to the memory from before the first binding, if it was shown, else to new one.
  void unshare(std::string_view key, Side side, std::string_view name) {
    const Place place{std::string(key), {side, std::string(name)}};
    const auto found = own.find(place);
    if (found == own.end()) return;  // it is not bound
    const std::shared_ptr<AlignedBuffer> memory = found->second.lock();
    own.erase(found);
    buffers.erase(place);
    if (!memory) return (void)buffer(key, side, name);
    bind(runner.signature(key), side, name, memory);
    buffers[place] = memory;
  }

  void run(std::string_view key, const std::function<bool()>& cancelled) {
    LiteRtSignature& signature = runner.signature(key);
    for (const TensorInfo& info : signature.inputs()) (void)buffer(key, Side::input, info.name);
    for (const TensorInfo& info : signature.outputs()) (void)buffer(key, Side::output, info.name);
    if (!runner.is_loaded(key)) runner.load(state.group_of(key));
    if (!cancelled) return signature.run();
    Cancellation cancellation(guarded(cancelled));
    if (cancellation.requested_now()) cancellation.stop();
    signature.run_apart(cancellation);
  }

  [[nodiscard]] std::string source() const { return runner.file().path().string(); }

  Model model;
  ModelState& state;
  LiteRtModel runner;
  std::map<Place, std::shared_ptr<AlignedBuffer>> buffers;
  std::map<Place, std::weak_ptr<AlignedBuffer>> own;  // of what is bound: its memory before that
  std::set<std::shared_ptr<AlignedBuffer>> shown;     // that the caller may still look at
};

Session::Session(const Model& model, const SessionOptions& options)
    : impl_(with_errors([&] { return std::make_unique<Impl>(model, options); })) {}

Session::Impl& Session::impl() const { return held(impl_, "Session"); }

Session::~Session() {
  const bool is_running = impl_ && impl_->runner.is_running();
  leave(std::move(impl_), is_running);
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  const Session before(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

const Model& Session::model() const { return impl().model; }

const std::vector<SignatureInfo>& Session::signatures() const {
  return impl().model.info().signatures;
}

const SignatureInfo& Session::signature(std::string_view key) const {
  return with_errors([&]() -> const SignatureInfo& { return impl().runner.signature(key).info(); });
}

void Session::check_input(std::string_view signature, std::string_view name, DType type) {
  with_errors([&] { impl().check_type(signature, Impl::Side::input, name, type); });
}

void Session::check_output(std::string_view signature, std::string_view name, DType type) {
  with_errors([&] { impl().check_type(signature, Impl::Side::output, name, type); });
}

Span<std::byte> Session::input_bytes(std::string_view signature, std::string_view name) {
  return with_errors([&]() -> Span<std::byte> {
    impl().runner.settle();
    AlignedBuffer& buffer = impl().shown_buffer(signature, Impl::Side::input, name);
    return {buffer.data(), buffer.size()};
  });
}

Span<const std::byte> Session::output_bytes(std::string_view signature, std::string_view name) {
  return with_errors([&]() -> Span<const std::byte> {
    impl().runner.settle();
    const AlignedBuffer& buffer = impl().shown_buffer(signature, Impl::Side::output, name);
    return {buffer.data(), buffer.size()};
  });
}

void Session::set_input(std::string_view signature, std::string_view name,
                        Span<const std::byte> bytes) {
  const Span<std::byte> memory = input_bytes(signature, name);
  with_errors([&] {
    if (bytes.size() != memory.size()) {
      const TensorInfo& info = impl().runner.signature(signature).input(name);
      fail(ErrorCode::invalid_argument,
           "{}: tensor \"{}\" {} of signature \"{}\" takes {} bytes, not {}.", impl().source(),
           name, info.description(), signature, memory.size(), bytes.size());
    }
    if (!bytes.empty()) std::memmove(memory.data(), bytes.data(), bytes.size());
  });
}

void Session::bind(std::string_view signature, std::string_view tensor,
                   std::string_view to_signature, std::string_view to_tensor) {
  with_errors([&] {
    impl().runner.settle();
    impl().share(signature, impl().side_of(signature, tensor), tensor, to_signature,
                 impl().side_of(to_signature, to_tensor), to_tensor);
  });
}

void Session::unbind(std::string_view signature, std::string_view tensor) {
  with_errors([&] {
    impl().runner.settle();
    impl().unshare(signature, impl().side_of(signature, tensor), tensor);
  });
}

void Session::run(std::string_view signature, const std::function<bool()>& cancelled) {
  with_errors([&] { impl().run(signature, cancelled); });
}

std::string Session::profile_summary() {
  return with_errors([&] { return impl().runner.profile_summary(); });
}

}  // namespace whisper_s4y
