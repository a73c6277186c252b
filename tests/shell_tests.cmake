# Tests that run programs instead of linking the library: the command line, the commands in the
# documents, and the layer check. Labels equal folder names, as everywhere. No cache of mappings but where a
# test makes its own: nothing may be left in anybody's home, and nothing be recalled from it.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

file(GLOB cli_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cli/*_test.py)
foreach(script IN LISTS cli_tests)
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME cli.${name} COMMAND ${Python3_EXECUTABLE} -B ${script})
  set_tests_properties(cli.${name} PROPERTIES LABELS cli TIMEOUT 600
    ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice>;SLUICE_CACHE_DIR=")
endforeach()

# Minutes each: not run by ./test alone, but by `./test -L slow` and by .ci/run.
file(GLOB slow_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/slow/*_test.py)
foreach(script IN LISTS slow_tests)
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME slow.${name} COMMAND ${Python3_EXECUTABLE} -B ${script})
  set_tests_properties(slow.${name} PROPERTIES LABELS slow TIMEOUT 1800 RUN_SERIAL ON
    ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice>;SLUICE_CACHE_DIR=;PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/cli")
endforeach()

# Every shell block of these documents is run, in order, in an empty directory.
file(GLOB guides RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/guide/*.md)
foreach(document README.md docs/cli.md docs/index.md docs/report.md ${guides})
  string(REGEX REPLACE "[/.]" "_" name ${document})
  add_test(NAME docs.${name} COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/run_doc_blocks.py
    --sluice $<TARGET_FILE:sluice> ${CMAKE_SOURCE_DIR}/${document})
  set_tests_properties(docs.${name} PROPERTIES LABELS docs TIMEOUT 600 ENVIRONMENT "SLUICE_CACHE_DIR=")
endforeach()

# Pages against the program and the site; 77 = skipped.
file(GLOB docs_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/docs/*_test.py)
foreach(script IN LISTS docs_tests)
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME docs.${name} COMMAND ${Python3_EXECUTABLE} -B ${script})
  set_tests_properties(docs.${name} PROPERTIES LABELS docs TIMEOUT 600 SKIP_RETURN_CODE 77
    ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice>;SLUICE_CACHE_DIR=")
endforeach()

add_test(NAME layers COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/check_layers.py)
add_test(NAME layers_self_test COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/layers_selftest.py)
set_tests_properties(layers layers_self_test PROPERTIES LABELS layers TIMEOUT 60)
