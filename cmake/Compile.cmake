# Warnings, linker, sanitizers and ccache: the flags that every target gets.
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough)
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
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PALETTE_CCACHE})
endif()

if(PALETTE_SANITIZE)
  add_compile_options(-fsanitize=${PALETTE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PALETTE_SANITIZE})
endif()
