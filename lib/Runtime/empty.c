/* libadze_rt.so is made of libAdzeRuntime.a; CMake wants a source. */
typedef int adze_rt_empty;
