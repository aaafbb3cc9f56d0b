# A library: at most so many MB stripped; needs libc, libm and libpthread (with the
# loader that libc brings); exports adze_* and nothing else.
execute_process(COMMAND "${READELF}" -d "${LIBRARY}" OUTPUT_VARIABLE dynamic
  COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "NEEDED[^\n]*\\[[^]]*\\]" needed "${dynamic}")
foreach(entry IN LISTS needed)
  string(REGEX REPLACE ".*\\[(.*)\\]" "\\1" library "${entry}")
  if(NOT library MATCHES "^(libc|libm|libpthread|ld-linux[-_a-z0-9]*)\\.so")
    message(SEND_ERROR "needs ${library}")
  endif()
endforeach()

execute_process(COMMAND "${NM}" -D --defined-only "${LIBRARY}" OUTPUT_VARIABLE symbols
  COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" lines "${symbols}")
foreach(line IN LISTS lines)
  if(line AND NOT line MATCHES " (adze_[a-z0-9_]+(@@ADZE_RT_1)?|ADZE_RT_1)$")
    message(SEND_ERROR "exports: ${line}")
  endif()
endforeach()

get_filename_component(name "${LIBRARY}" NAME)
set(stripped "${CMAKE_CURRENT_BINARY_DIR}/${name}.stripped")
execute_process(COMMAND "${STRIP}" -o "${stripped}" "${LIBRARY}" COMMAND_ERROR_IS_FATAL ANY)
file(SIZE "${stripped}" size)
file(REMOVE "${stripped}")
math(EXPR most "${MEGABYTES} << 20")
if(size GREATER most AND NOT SANITIZED)
  message(SEND_ERROR "${size} bytes stripped")
endif()
message(STATUS "${name}: ${size} bytes stripped")
