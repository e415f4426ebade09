# Finds isl and offers the target torsh_isl. libLLVM exports the functions of an isl of its own (Polly's), of another
# version and layout: the archive must come before LLVM on every link line, and its symbols must stay inside.
find_path(ISL_INCLUDE isl/cpp.h REQUIRED)
find_library(ISL_ARCHIVE libisl.a REQUIRED)
find_library(GMP_ARCHIVE libgmp.a REQUIRED)
add_library(torsh_isl INTERFACE)
target_include_directories(torsh_isl SYSTEM INTERFACE ${ISL_INCLUDE})
target_link_libraries(torsh_isl INTERFACE ${ISL_ARCHIVE} ${GMP_ARCHIVE})
target_link_options(torsh_isl INTERFACE "LINKER:--exclude-libs,libisl.a:libgmp.a")
# A test compares this with what the linked functions say.
get_filename_component(ISL_FOLDER ${ISL_ARCHIVE} DIRECTORY)
file(STRINGS ${ISL_FOLDER}/pkgconfig/isl.pc ISL_VERSION REGEX "^Version:")
string(REGEX REPLACE "^Version: *" "" ISL_VERSION "${ISL_VERSION}")
