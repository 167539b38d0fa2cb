# Warnings, linker, sanitizers and ccache: the flags that every target gets.
# libstdc++ 12 uses what it deprecates itself (std::stable_sort and its buffer), hence the one that is off.
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wno-deprecated-declarations)
if(PALETTE_WERROR)
  add_compile_options(-Werror)
endif()

find_program(PALETTE_LLD NAMES ld.lld-19 ld.lld)
if(PALETTE_LLD)
  add_link_options(-fuse-ld=lld)
endif()
add_link_options(-Wl,--as-needed)

find_program(PALETTE_CCACHE ccache)
if(PALETTE_CCACHE)
  # Without these two ccache refuses whatever uses the precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${PALETTE_CCACHE})
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

if(PALETTE_SANITIZE)
  add_compile_options(-fsanitize=${PALETTE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PALETTE_SANITIZE})
endif()
