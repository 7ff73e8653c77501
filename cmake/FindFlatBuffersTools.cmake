# flatc and the FlatBuffers headers:
#   -DFLATC_ROOT=DIR with bin/flatc and include/, or build/deps/flatc as scripts/setup unpacks it.
# Target: FlatBuffersTools::headers; variable FlatBuffersTools_FLATC.
set(FLATC_ROOT "${PROJECT_SOURCE_DIR}/build/deps/flatc" CACHE PATH "Folder with bin/flatc and include/")
find_program(FlatBuffersTools_FLATC NAMES flatc PATHS ${FLATC_ROOT}/bin ${FLATC_ROOT}/flatc/bin
             NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
find_path(FlatBuffersTools_INCLUDE flatbuffers/flatbuffers.h
          PATHS ${FLATC_ROOT}/include ${FLATC_ROOT}/flatc/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FlatBuffersTools
  REQUIRED_VARS FlatBuffersTools_FLATC FlatBuffersTools_INCLUDE
  REASON_FAILURE_MESSAGE "Run scripts/setup, or give -DFLATC_ROOT=<folder with bin/flatc>.")
if(FlatBuffersTools_FOUND AND NOT TARGET FlatBuffersTools::headers)
  add_library(FlatBuffersTools::headers INTERFACE IMPORTED)
  target_include_directories(FlatBuffersTools::headers SYSTEM INTERFACE ${FlatBuffersTools_INCLUDE})
endif()
