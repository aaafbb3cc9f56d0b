# What is installed, and the package that find_package(Adze) reads. Two
# components: Runtime (libadze_rt, its headers, the Python package; no LLVM), and
# Compiler (static libraries, headers, tools). The prefix can be moved.
include(CMakePackageConfigHelpers)

set(ADZE_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/Adze")
# Compiler headers keep their paths from the repository's root, in a folder of
# their own.
set(ADZE_COMPILER_INCLUDE_DIR "${CMAKE_INSTALL_INCLUDEDIR}/adze-compiler")

# ---- Runtime
set_target_properties(adze_rt PROPERTIES EXPORT_NAME Runtime)
install(TARGETS adze_rt EXPORT AdzeRuntimeTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Runtime NAMELINK_COMPONENT Runtime)
install(TARGETS adze_emulator
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Runtime NAMELINK_SKIP)
install(FILES include/adze/adze_rt.h include/adze/adze_rt.hpp
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/adze" COMPONENT Runtime)
install(DIRECTORY python/adze DESTINATION "${CMAKE_INSTALL_DATADIR}/adze/python"
  COMPONENT Runtime FILES_MATCHING PATTERN "*.py")
install(EXPORT AdzeRuntimeTargets NAMESPACE Adze:: DESTINATION "${ADZE_PACKAGE_DIR}"
  COMPONENT Runtime)

file(RELATIVE_PATH ADZE_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" ADZE_PC_PREFIX "${ADZE_PC_PREFIX}")
configure_file(cmake/adze-rt.pc.in adze-rt.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/adze-rt.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT Runtime)

configure_package_config_file(cmake/AdzeConfig.cmake.in AdzeConfig.cmake
  INSTALL_DESTINATION "${ADZE_PACKAGE_DIR}" PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(AdzeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/AdzeConfig.cmake" "${PROJECT_BINARY_DIR}/AdzeConfigVersion.cmake"
  DESTINATION "${ADZE_PACKAGE_DIR}" COMPONENT Runtime)

if(NOT ADZE_BUILD_COMPILER)
  return()
endif()

# ---- Compiler
get_property(libraries GLOBAL PROPERTY ADZE_LIBRARIES)
foreach(library IN LISTS libraries)
  string(REGEX REPLACE "^Adze" "" name "${library}")
  set_target_properties(${library} PROPERTIES EXPORT_NAME "${name}")
endforeach()
set_target_properties(AdzeRuntime PROPERTIES EXPORT_NAME RuntimeStatic)
install(TARGETS adze_flags adze_mlir_flags ${libraries} EXPORT AdzeCompilerTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Compiler
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Compiler)
install(EXPORT AdzeCompilerTargets NAMESPACE Adze:: DESTINATION "${ADZE_PACKAGE_DIR}"
  COMPONENT Compiler)
foreach(tool adze adze-opt)
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT Compiler)
  endif()
endforeach()

install(DIRECTORY include/adze DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT Compiler
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp" PATTERN "adze_rt.*" EXCLUDE)
foreach(room lib dialects passes targets)
  install(DIRECTORY ${room} DESTINATION "${ADZE_COMPILER_INCLUDE_DIR}" COMPONENT Compiler
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
  install(DIRECTORY "${PROJECT_BINARY_DIR}/${room}" DESTINATION "${ADZE_COMPILER_INCLUDE_DIR}"
    COMPONENT Compiler
    FILES_MATCHING PATTERN "*.h.inc" PATTERN "CMakeFiles" EXCLUDE PATTERN "*.dir" EXCLUDE)
endforeach()
# ONNX's library, where adze built its own.
if(TARGET adze_onnx)
  get_target_property(onnx_archive adze_onnx IMPORTED_LOCATION)
  if(onnx_archive)
    install(FILES "${onnx_archive}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Compiler)
  endif()
endif()
