# How this tree is compiled: cache, linker, sanitizers.

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
mark_as_advanced(CCACHE MOLD)

if(CAF_RAY_SANITIZE)
  add_compile_options(-fsanitize=${CAF_RAY_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CAF_RAY_SANITIZE})
  if(CAF_RAY_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan) # fences are used by CAF and TBB headers; the tool ignores them
  endif()
endif()
