# What `cmake --install` puts where: libraries and headers for
# find_package(SparseAttn), tools, the plugin and the libraries for C.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# sparse_attn_install_library(NAME) makes SparseAttn::NAME of a static library.
function(sparse_attn_install_library name)
  target_include_directories(${name} INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS ${name} EXPORT SparseAttnTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Development)
endfunction()

# sparse_attn_install_package() installs the rest, once all targets are known.
function(sparse_attn_install_package)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/SparseAttn)
  install(TARGETS SparseAttnAll EXPORT SparseAttnTargets COMPONENT Development)
  install(EXPORT SparseAttnTargets NAMESPACE SparseAttn::
    DESTINATION ${package_dir} COMPONENT Development)
  configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/SparseAttnConfig.cmake.in
    ${PROJECT_BINARY_DIR}/SparseAttnConfig.cmake
    INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/SparseAttnConfigVersion.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/SparseAttnConfig.cmake
                ${PROJECT_BINARY_DIR}/SparseAttnConfigVersion.cmake
    DESTINATION ${package_dir} COMPONENT Development)
  install(DIRECTORY include/SparseAttn include/SparseAttn-c
                    ${PROJECT_BINARY_DIR}/include/SparseAttn
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT Development
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc")

  # A wheel has these inside of the Python package.
  if(SKBUILD)
    set(programs sparse_attn/bin)
    set(libraries sparse_attn/lib)
  else()
    set(programs ${CMAKE_INSTALL_BINDIR})
    set(libraries ${CMAKE_INSTALL_LIBDIR})
  endif()
  set_target_properties(sparse-attn-compile sparse-attn-opt sparse-attn-run
                        ptx-emulate SparseAttnRuntimeC SparseAttnCompilerC
    PROPERTIES INSTALL_RPATH "${LLVM_LIBRARY_DIR}")
  install(TARGETS sparse-attn-compile sparse-attn-opt sparse-attn-run ptx-emulate
    RUNTIME DESTINATION ${programs} COMPONENT Tools)
  install(TARGETS SparseAttnRuntimeC SparseAttnCompilerC SparseAttnCudaEmulator
                  SparseAttnPlugin
    LIBRARY DESTINATION ${libraries} COMPONENT Tools)
endfunction()
