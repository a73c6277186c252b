# libsluice: the public API (include/sluice) as a shared library that exports nothing else. A static one
# would drag ONNX, protobuf and yaml-cpp into every consumer's configuration.
include(GNUInstallDirs)
target_include_directories(sluice_api PUBLIC ${CMAKE_SOURCE_DIR}/include)
add_library(sluice_shared SHARED $<TARGET_OBJECTS:sluice_api>)
add_library(sluice::sluice ALIAS sluice_shared)
# Below 1.0 every minor version may change the binary interface, so it is part of the soname.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(SLUICE_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
else()
  set(SLUICE_SOVERSION ${PROJECT_VERSION_MAJOR})
endif()
set_target_properties(sluice_shared PROPERTIES OUTPUT_NAME sluice EXPORT_NAME sluice VERSION ${PROJECT_VERSION}
  SOVERSION ${SLUICE_SOVERSION} LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/libsluice.map LINKER_LANGUAGE CXX)
target_compile_features(sluice_shared INTERFACE cxx_std_17)
target_include_directories(sluice_shared INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(sluice_shared PRIVATE sluice_driver)
# Hidden visibility decides what is exported; the map also drops what the standard library's templates
# leave visible. Sanitizers need their own symbols, so the map is for ordinary builds.
if(NOT SLUICE_SANITIZE)
  target_link_options(sluice_shared PRIVATE LINKER:--version-script=${CMAKE_SOURCE_DIR}/cmake/libsluice.map
    LINKER:--no-undefined)
endif()
