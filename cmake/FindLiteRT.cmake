# LiteRT's C library, from a folder that holds libLiteRt.so:
#   -DLITERT_ROOT=DIR, or build/deps/litert as scripts/setup unpacks it.
# Target: LiteRT::LiteRT. The library comes without headers; src/runtime/litert_c.h declares what is used.
set(LITERT_ROOT "${PROJECT_SOURCE_DIR}/build/deps/litert" CACHE PATH "Folder with libLiteRt.so")
find_library(LiteRT_LIBRARY NAMES LiteRt PATHS ${LITERT_ROOT} ${LITERT_ROOT}/ai_edge_litert
             NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LiteRT REQUIRED_VARS LiteRT_LIBRARY
  REASON_FAILURE_MESSAGE "Run scripts/setup, or give -DLITERT_ROOT=<folder with libLiteRt.so>.")
if(LiteRT_FOUND AND NOT TARGET LiteRT::LiteRT)
  add_library(LiteRT::LiteRT SHARED IMPORTED)
  set_target_properties(LiteRT::LiteRT PROPERTIES IMPORTED_LOCATION ${LiteRT_LIBRARY}
                        IMPORTED_NO_SONAME FALSE)
endif()
