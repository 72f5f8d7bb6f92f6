# How this tree is compiled: cache, linker, sanitizers.

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
if(CAF_RAY_SANITIZE)
  add_compile_options(-fsanitize=${CAF_RAY_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CAF_RAY_SANITIZE})
endif()
