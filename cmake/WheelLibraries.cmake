# What the Python wheel is built with: LiteRT, flatc, and FFmpeg and libcurl of its own, which are
# fetched and built where they are missing (an sdist has none of them).
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/setup --fetch COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/wheel-libraries COMMAND_ERROR_IS_FATAL ANY)
set(wheel_libraries ${PROJECT_SOURCE_DIR}/build/deps/wheel)
set(ENV{PKG_CONFIG_PATH} ${wheel_libraries}/lib/pkgconfig)
list(PREPEND CMAKE_PREFIX_PATH ${wheel_libraries})
set(CURL_NO_CURL_CMAKE ON)
