#include "whisper_s4y/session.h"

#include <algorithm>

#include "c_api/boundary.h"
#include "c_api/callbacks.h"
#include "c_api/model.h"

struct whisper_s4y_session {
  whisper_s4y::Session session;
};

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

namespace {

void give_tensor(whisper_s4y_tensor* target, const TensorInfo& info, const void* data,
                 size_t bytes) {
  whisper_s4y_tensor tensor{};
  tensor.dtype = static_cast<whisper_s4y_dtype>(info.dtype);
  if (info.shape.size() > WHISPER_S4Y_MAX_RANK) {
    fail(ErrorCode::unsupported, "The tensor \"{}\" has {} dimensions; {} are the most.", info.name,
         info.shape.size(), WHISPER_S4Y_MAX_RANK);
  }
  tensor.rank = static_cast<int32_t>(info.shape.size());
  std::ranges::copy(info.shape, tensor.shape);
  tensor.data = const_cast<void*>(data);
  tensor.bytes = bytes;
  give(target, tensor, "tensor");
}

/// Gives a tensor of the side `tensors` of a signature, whose memory `bytes_of` has.
template <typename BytesOf>
whisper_s4y_status give_side(whisper_s4y_session* session, const char* signature, const char* name,
                             whisper_s4y_tensor* tensor,
                             std::vector<TensorInfo> SignatureInfo::*tensors, BytesOf bytes_of) {
  return guarded_call([&] {
    Session& s = needed(session, "session").session;
    const std::string key = needed_text(signature, "signature");
    const std::string tensor_name = needed_text(name, "name");
    const auto bytes = bytes_of(s, key, tensor_name);  // throws when there is none
    const auto& infos = s.signature(key).*tensors;
    give_tensor(tensor, *std::ranges::find(infos, tensor_name, &TensorInfo::name), bytes.data(),
                bytes.size());
  });
}

}  // namespace

whisper_s4y_status whisper_s4y_session_create(const whisper_s4y_model* model, int threads,
                                              whisper_s4y_session** session) {
  return guarded_call([&] {
    needed(session, "session") = nullptr;
    SessionOptions options;
    options.threads = threads;
    *session = new whisper_s4y_session{Session(needed(model, "model").model, options)};
  });
}

void whisper_s4y_session_destroy(whisper_s4y_session* session) { delete session; }

whisper_s4y_status whisper_s4y_session_input(whisper_s4y_session* session, const char* signature,
                                             const char* name, whisper_s4y_tensor* tensor) {
  return give_side(session, signature, name, tensor, &SignatureInfo::inputs,
                   [](Session& s, const std::string& key, const std::string& tensor_name) {
                     return s.input_bytes(key, tensor_name);
                   });
}

whisper_s4y_status whisper_s4y_session_output(whisper_s4y_session* session, const char* signature,
                                              const char* name, whisper_s4y_tensor* tensor) {
  return give_side(session, signature, name, tensor, &SignatureInfo::outputs,
                   [](Session& s, const std::string& key, const std::string& tensor_name) {
                     return s.output_bytes(key, tensor_name);
                   });
}

whisper_s4y_status whisper_s4y_session_bind(whisper_s4y_session* session, const char* signature,
                                            const char* tensor, const char* to_signature,
                                            const char* to_tensor) {
  return guarded_call([&] {
    needed(session, "session")
        .session.bind(needed_text(signature, "signature"), needed_text(tensor, "tensor"),
                      needed_text(to_signature, "to_signature"),
                      needed_text(to_tensor, "to_tensor"));
  });
}

whisper_s4y_status whisper_s4y_session_unbind(whisper_s4y_session* session, const char* signature,
                                              const char* tensor) {
  return guarded_call([&] {
    needed(session, "session")
        .session.unbind(needed_text(signature, "signature"), needed_text(tensor, "tensor"));
  });
}

whisper_s4y_status whisper_s4y_session_run(whisper_s4y_session* session, const char* signature,
                                           const whisper_s4y_callbacks* callbacks) {
  return guarded_call([&] {
    needed(session, "session")
        .session.run(needed_text(signature, "signature"), Callbacks(callbacks).cancelled);
  });
}
