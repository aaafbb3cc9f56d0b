# Makes the target adze_onnx: ONNX's C++ library. An installed ONNX of at least
# 1.23 is used first; else the prefix ADZE_ONNX_ROOT, by default the one that
# tools/setup/build_onnx.sh fills.
set(ADZE_ONNX_VERSION 1.23.2)

if(TARGET adze_onnx)
  set(AdzeOnnx_FOUND TRUE)
  return()
endif()

find_package(ONNX 1.23 QUIET CONFIG)
if(ONNX_FOUND AND TARGET ONNX::onnx)
  add_library(adze_onnx INTERFACE)
  target_link_libraries(adze_onnx INTERFACE ONNX::onnx)
  set(AdzeOnnx_FOUND TRUE)
  return()
endif()

find_package(Protobuf QUIET)
set(root "${ADZE_ONNX_ROOT}")
if(NOT root)
  set(root "${PROJECT_SOURCE_DIR}/.adze/onnx-${ADZE_ONNX_VERSION}")
endif()
set(library "${root}/lib/libadze_onnx.a")
if(NOT EXISTS "${library}" OR NOT Protobuf_FOUND)
  set(AdzeOnnx_FOUND FALSE)
  if(AdzeOnnx_FIND_REQUIRED)
    message(FATAL_ERROR "ONNX's C++ library is not at ${root}: run tools/setup/build_onnx.sh, "
      "or set ADZE_ONNX_ROOT; libprotobuf-dev is needed as well")
  endif()
  return()
endif()

add_library(adze_onnx STATIC IMPORTED GLOBAL)
set_target_properties(adze_onnx PROPERTIES IMPORTED_LOCATION "${library}")
target_include_directories(adze_onnx SYSTEM INTERFACE "${root}/include")
target_compile_definitions(adze_onnx INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(adze_onnx INTERFACE protobuf::libprotobuf)
set(AdzeOnnx_FOUND TRUE)
