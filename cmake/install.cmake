# `cmake --install`: the program, libsluice with headers and CMake package, architectures, models, man page,
# completions, licence. Everything is found again from where it lies, so a prefix may be moved.
# Configure with -DCMAKE_INSTALL_PREFIX=/usr for a system installation: the prefix decides whether libraries
# go to lib/<triplet>.
include(CMakePackageConfigHelpers)
set(cmake_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)

install(TARGETS sluice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS sluice_shared EXPORT sluiceTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/sluice DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(DIRECTORY archs constraints models DESTINATION ${CMAKE_INSTALL_DATADIR}/sluice
  PATTERN *.md EXCLUDE PATTERN *.py EXCLUDE)
install(FILES LICENSE packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION ${cmake_package_dir})
configure_package_config_file(cmake/sluiceConfig.cmake.in ${CMAKE_BINARY_DIR}/package/sluiceConfig.cmake
  INSTALL_DESTINATION ${cmake_package_dir} PATH_VARS CMAKE_INSTALL_DATADIR)
# Below 1.0 a new minor version may change the interface.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/sluiceConfigVersion.cmake
  COMPATIBILITY ${compatibility})
install(FILES ${CMAKE_BINARY_DIR}/package/sluiceConfig.cmake ${CMAKE_BINARY_DIR}/package/sluiceConfigVersion.cmake
  DESTINATION ${cmake_package_dir})

# The man page and the completions are read off the program's own help, so they can only be made where the
# program can run.
option(SLUICE_CLI_DOCS "Make the man page and the shell completions (needs Python)" ON)
set(SLUICE_CLI_DOCS_READY FALSE)
if(SLUICE_CLI_DOCS AND NOT CMAKE_CROSSCOMPILING)
  find_package(Python3 COMPONENTS Interpreter)
  if(Python3_Interpreter_FOUND)
    set(SLUICE_CLI_DOCS_READY TRUE)
  endif()
endif()
if(SLUICE_CLI_DOCS_READY)
  set(cli_docs ${CMAKE_BINARY_DIR}/package/cli)
  set(cli_docs_script ${CMAKE_SOURCE_DIR}/packaging/cli_docs.py)
  add_custom_command(OUTPUT ${cli_docs}/sluice.1 ${cli_docs}/sluice.1.gz ${cli_docs}/sluice.bash ${cli_docs}/_sluice
    COMMAND ${Python3_EXECUTABLE} -B ${cli_docs_script} --sluice $<TARGET_FILE:sluice>
      --version ${PROJECT_VERSION} --out ${cli_docs}
    DEPENDS sluice ${cli_docs_script} COMMENT "Man page and completions" VERBATIM)
  add_custom_target(sluice_cli_docs ALL DEPENDS ${cli_docs}/sluice.1.gz)
  install(FILES ${cli_docs}/sluice.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${cli_docs}/sluice.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME sluice)
  install(FILES ${cli_docs}/_sluice DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
else()
  message(STATUS "Man page and completions are not made (SLUICE_CLI_DOCS, Python, no cross-compilation)")
endif()
