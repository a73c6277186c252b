# CPack: one Debian package with everything that `cmake --install` installs.
#   cmake -S . -B build/package -DCMAKE_INSTALL_PREFIX=/usr && cmake --build build/package
#   cpack --config build/package/CPackConfig.cmake -B build/package
# Dependencies are computed from the binaries by dpkg-shlibdeps (packages dpkg-dev, file).
# Whoever distributes a package answers for it. The default is an address that RFC 2606 keeps from anybody's mailbox.
set(SLUICE_MAINTAINER "Sluice maintainers <maintainers@sluice.invalid>" CACHE STRING
  "Name and address of who answers for the package: control file and changelog")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_VENDOR Sluice)
set(CPACK_PACKAGE_CONTACT ${SLUICE_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "plans how neural networks run on accelerators")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Sluice reads an ONNX model and the description of an accelerator, maps every
operator onto the machine, and says what it costs in energy and cycles, with
lower bounds and the reason for every number. This package holds the program
sluice, the library libsluice with its headers, and the shipped architectures
and models.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/triggers
  ${CMAKE_SOURCE_DIR}/packaging/debian/postinst ${CMAKE_SOURCE_DIR}/packaging/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)

# The changelog of the package, compressed as Debian wants it.
find_program(SLUICE_GZIP gzip)
if(SLUICE_GZIP)
  set(changelog ${CMAKE_BINARY_DIR}/package/changelog.Debian)
  configure_file(${CMAKE_SOURCE_DIR}/packaging/debian/changelog.in ${changelog} @ONLY)
  execute_process(COMMAND ${SLUICE_GZIP} -n9c ${changelog} OUTPUT_FILE ${changelog}.gz COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${changelog}.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
