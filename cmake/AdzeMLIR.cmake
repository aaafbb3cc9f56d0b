# Helpers for the rooms that use MLIR. The shared libMLIR and libLLVM of the
# distribution are linked, so a tool links in seconds; one precompiled header
# (lib/Support/MLIRPch.h) serves every library.
add_library(adze_mlir_flags INTERFACE)
target_include_directories(adze_mlir_flags SYSTEM INTERFACE
  $<BUILD_INTERFACE:${MLIR_INCLUDE_DIRS}> $<BUILD_INTERFACE:${LLVM_INCLUDE_DIRS}>)
separate_arguments(ADZE_LLVM_DEFS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_definitions(adze_mlir_flags INTERFACE ${ADZE_LLVM_DEFS})
target_link_libraries(adze_mlir_flags INTERFACE adze_flags MLIR LLVM)

set(ADZE_PCH_SOURCE "${CMAKE_CURRENT_BINARY_DIR}/adze_pch.cpp")
file(CONFIGURE OUTPUT "${ADZE_PCH_SOURCE}" CONTENT "// anchors the precompiled header\n")
add_library(adze_pch STATIC "${ADZE_PCH_SOURCE}")
target_link_libraries(adze_pch PUBLIC adze_mlir_flags)
target_precompile_headers(adze_pch PRIVATE "${PROJECT_SOURCE_DIR}/lib/Support/MLIRPch.h")
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # ccache can then share the precompiled header between checkouts.
  target_compile_options(adze_mlir_flags INTERFACE
    "$<BUILD_INTERFACE:SHELL:-Xclang -fno-pch-timestamp>")
endif()

# adze_add_mlir_library(NAME SOURCES... [LINK targets...] [TABLEGEN targets...])
function(adze_add_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK;TABLEGEN" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC adze_mlir_flags ${ARG_LINK})
  target_precompile_headers(${name} REUSE_FROM adze_pch)
  # Generated headers of all dialects come first: they are few and quick.
  get_property(gens GLOBAL PROPERTY ADZE_TABLEGEN_TARGETS)
  if(gens OR ARG_TABLEGEN)
    add_dependencies(${name} ${gens} ${ARG_TABLEGEN})
  endif()
  set_property(GLOBAL APPEND PROPERTY ADZE_LIBRARIES ${name})
endfunction()

# adze_tablegen(TARGET TDFILE  OUT1 "-gen-a -flag" OUT2 "-gen-b" ...)
function(adze_tablegen target td)
  list(GET MLIR_INCLUDE_DIRS 0 MLIR_MAIN_INCLUDE_DIR_)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(args ${ARGN})
  while(args)
    list(POP_FRONT args out flags)
    separate_arguments(flags)
    mlir_tablegen(${out} ${flags} -I${PROJECT_SOURCE_DIR} -I${MLIR_MAIN_INCLUDE_DIR_})
  endwhile()
  add_public_tablegen_target(${target})
  set_property(GLOBAL APPEND PROPERTY ADZE_TABLEGEN_TARGETS ${target})
endfunction()

# adze_add_pass_library(NAME TDNAME SOURCES... [LINK targets...]): one phase's
# passes. Passes.td generates Passes.h.inc beside it, with declarations and
# registration register<TDNAME>Passes().
function(adze_add_pass_library name tdname)
  adze_tablegen(${name}IncGen Passes.td Passes.h.inc "-gen-pass-decls -name=${tdname}")
  adze_add_mlir_library(${name} ${ARGN} TABLEGEN ${name}IncGen)
  set_property(GLOBAL APPEND PROPERTY ADZE_PASS_LIBRARIES ${name})
endfunction()
