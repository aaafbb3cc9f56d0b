# Installs one component, moves the prefix, and builds and runs a user's project
# against it. BUILD, WORK, SOURCE, COMPONENT, ARGUMENT, C and CXX compilers.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV}\n${out}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/first" --component Runtime)
if(COMPONENT STREQUAL Compiler)
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/first" --component Compiler)
endif()
file(RENAME "${WORK}/first" "${WORK}/moved")
foreach(dir MLIR_DIR LLVM_DIR)
  if(${dir})
    list(APPEND OPTIONS "-D${dir}=${${dir}}")
  endif()
endforeach()
run("${CMAKE_COMMAND}" -G Ninja -S "${SOURCE}" -B "${WORK}/build"
  "-DCMAKE_PREFIX_PATH=${WORK}/moved" "-DCMAKE_C_COMPILER=${C}" "-DCMAKE_CXX_COMPILER=${CXX}"
  "-DCMAKE_EXE_LINKER_FLAGS=${LINKER_FLAGS}" ${OPTIONS})
run("${CMAKE_COMMAND}" --build "${WORK}/build")
string(REPLACE "," ";" PROGRAMS "${PROGRAMS}")
foreach(program IN LISTS PROGRAMS)
  run("${WORK}/build/${program}" ${ARGUMENT})
endforeach()
if(PYTHON AND COMPONENT STREQUAL Runtime)
  run("${CMAKE_COMMAND}" -E env --unset=ADZE_RT_LIBRARY
    "PYTHONPATH=${WORK}/moved/share/adze/python" "ADZE_FIXTURE=${ARGUMENT}"
    "${PYTHON}" -B -c "import os, adze; print(adze.Model(os.environ['ADZE_FIXTURE']))")
  # The emulator is found beside the library.
  run("${CMAKE_COMMAND}" -E env --unset=ADZE_RT_LIBRARY
    "PYTHONPATH=${WORK}/moved/share/adze/python" "MODEL=${DEVICE_MODEL}" "${PYTHON}" -B -c
    "import os, adze; print(adze.Model(os.environ['MODEL'], device='ptx-emulator'))")
endif()
file(REMOVE_RECURSE "${WORK}")
