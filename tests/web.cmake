# Tests of the report's front end (label web): types, pure functions, and real reports in a headless browser.
# What is missing is said: without Node.js there is one test, reported as skipped; without Chromium the browser
# test is skipped.
if(SLUICE_WEB_READY)
  add_test(NAME web.types COMMAND ${SLUICE_NODE} ${CMAKE_SOURCE_DIR}/web/node_modules/typescript/bin/tsc
    --project ${CMAKE_SOURCE_DIR}/web)
  add_test(NAME web.unit COMMAND ${SLUICE_NODE} ${CMAKE_SOURCE_DIR}/web/test.mjs)
  add_test(NAME web.browser COMMAND ${SLUICE_NODE} ${CMAKE_CURRENT_SOURCE_DIR}/web/browser.mjs)
  set_tests_properties(web.types web.unit PROPERTIES LABELS web TIMEOUT 180)
  set_tests_properties(web.browser PROPERTIES LABELS web TIMEOUT 900 SKIP_RETURN_CODE 77 RUN_SERIAL ON
    ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice>;SLUICE_CACHE_DIR=")
else()
  add_test(NAME web.missing COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: ${web_problem}")
  set_tests_properties(web.missing PROPERTIES LABELS web SKIP_REGULAR_EXPRESSION "SKIPPED")
endif()
