#include "common/boundary.h"

#include <filesystem>
#include <new>
#include <system_error>

#include "common/fail.h"

namespace whisper_s4y {

int& boundary_detail::Depth::depth() {
  thread_local int depth = 0;
  return depth;
}

void rethrow_as_error(bool outermost) {
  try {
    throw;
  } catch (const CallbackFailure& failure) {
    if (outermost) std::rethrow_exception(failure.exception);
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::out_of_memory, "There is not enough memory.");
  } catch (const std::filesystem::filesystem_error& error) {
    fail(ErrorCode::io, "Cannot use {}: {}.", error.path1().string(), error.code().message());
  } catch (const std::system_error& error) {
    // Threads are what the library asks of the system without a path.
    fail(ErrorCode::runtime, "The system cannot do what is needed: {}.", error.code().message());
  } catch (const std::exception& error) {
    fail(ErrorCode::internal, "An unexpected error occurred: {}.", error.what());
  }
}

}  // namespace whisper_s4y
