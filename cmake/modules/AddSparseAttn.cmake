# The vocabulary of the project's build files: a library or a tool is one call.

# sparse_attn_library(NAME SOURCES... [MLIR MLIRFoo...] [LINK OtherLib...] [DEPENDS target...])
#
# A library on MLIR. MLIR components are named under MLIR and resolve to
# libMLIR.so; naming them in LINK_LIBS would link the static archives as well.
function(sparse_attn_library name)
  cmake_parse_arguments(ARG "" "" "MLIR;LINK;DEPENDS" ${ARGN})
  add_mlir_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS}
    EXCLUDE_FROM_LIBMLIR DISABLE_INSTALL
    DEPENDS ${ARG_DEPENDS})
  if(ARG_LINK)
    target_link_libraries(${name} PUBLIC ${ARG_LINK})
  endif()
  mlir_target_link_libraries(${name} PUBLIC MLIRIR ${ARG_MLIR})
  set_property(TARGET ${name} PROPERTY POSITION_INDEPENDENT_CODE ON)
  # Patterns and generated accessors: half the size of the plugin, for nothing
  # that one could measure.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  sparse_attn_install_library(${name})
endfunction()

# sparse_attn_plain_library(NAME SOURCES... [LINK OtherLib...])
#
# A library without MLIR: the emulator and the runtime.
function(sparse_attn_plain_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  llvm_update_compile_flags(${name})
  set_property(TARGET ${name} PROPERTY POSITION_INDEPENDENT_CODE ON)
  if(ARG_LINK)
    target_link_libraries(${name} PUBLIC ${ARG_LINK})
  endif()
  sparse_attn_install_library(${name})
endfunction()

# sparse_attn_tool(NAME SOURCES... [MLIR MLIRFoo...] [LINK OtherLib...])
function(sparse_attn_tool name)
  cmake_parse_arguments(ARG "" "" "MLIR;LINK" ${ARGN})
  add_llvm_executable(${name} ${ARG_UNPARSED_ARGUMENTS} DISABLE_LLVM_LINK_LLVM_DYLIB)
  llvm_update_compile_flags(${name})
  if(ARG_LINK)
    target_link_libraries(${name} PRIVATE ${ARG_LINK})
  endif()
  if(ARG_MLIR)
    mlir_target_link_libraries(${name} PRIVATE ${ARG_MLIR})
  endif()
endfunction()

# sparse_attn_dialect(NAME MNEMONIC) generates the declarations of the .td files
# NAMEOps.td and NAMEAttrInterfaces.td in the current directory and the target
# ${NAME}IncGen.
function(sparse_attn_dialect name mnemonic)
  set(LLVM_TARGET_DEFINITIONS ${name}Ops.td)
  mlir_tablegen(${name}Dialect.h.inc -gen-dialect-decls -dialect=${mnemonic})
  mlir_tablegen(${name}Dialect.cpp.inc -gen-dialect-defs -dialect=${mnemonic})
  mlir_tablegen(${name}Enums.h.inc -gen-enum-decls)
  mlir_tablegen(${name}Enums.cpp.inc -gen-enum-defs)
  mlir_tablegen(${name}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${mnemonic})
  mlir_tablegen(${name}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${mnemonic})
  mlir_tablegen(${name}Types.h.inc -gen-typedef-decls -typedefs-dialect=${mnemonic})
  mlir_tablegen(${name}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${mnemonic})
  mlir_tablegen(${name}Ops.h.inc -gen-op-decls)
  mlir_tablegen(${name}Ops.cpp.inc -gen-op-defs)
  # Interfaces are generated only from the file that defines them.
  set(LLVM_TARGET_DEFINITIONS ${name}AttrInterfaces.td)
  mlir_tablegen(${name}AttrInterfaces.h.inc -gen-attr-interface-decls)
  mlir_tablegen(${name}AttrInterfaces.cpp.inc -gen-attr-interface-defs)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}OpInterfaces.td)
    set(LLVM_TARGET_DEFINITIONS ${name}OpInterfaces.td)
    mlir_tablegen(${name}OpInterfaces.h.inc -gen-op-interface-decls)
    mlir_tablegen(${name}OpInterfaces.cpp.inc -gen-op-interface-defs)
  endif()
  add_public_tablegen_target(${name}IncGen)
  add_dependencies(mlir-headers ${name}IncGen)
endfunction()

# sparse_attn_passes(NAME) generates the declarations of Passes.td in the
# current directory and the target ${NAME}PassesIncGen.
function(sparse_attn_passes name)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name ${name})
  add_public_tablegen_target(${name}PassesIncGen)
  add_dependencies(mlir-headers ${name}PassesIncGen)
endfunction()

# sparse_attn_unit_test(NAME SOURCES... [MLIR MLIRFoo...] [LINK OtherLib...])
#
# A GoogleTest program that `make test` runs; NAME ends in Tests.
function(sparse_attn_unit_test name)
  cmake_parse_arguments(ARG "" "" "MLIR;LINK" ${ARGN})
  if(NOT name MATCHES "Tests$")
    message(FATAL_ERROR "the name of a unit test ends in Tests, found ${name}")
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  llvm_update_compile_flags(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main)
  if(ARG_MLIR)
    mlir_target_link_libraries(${name} PRIVATE ${ARG_MLIR})
  endif()
  add_dependencies(UnitTests ${name})
endfunction()
