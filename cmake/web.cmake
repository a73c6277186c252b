# The front end of the report, bundled from web/ by esbuild and compiled into the module `report`.
# SLUICE_WEB=AUTO (default) builds it where Node.js 18 or newer and npm can; ON insists; OFF never tries. Without it
# `sluice report` writes the plain form, without charts, and says so. The packages of web/package-lock.json are
# installed into web/node_modules once, at configure time: the only step of the build that may use the network.
set(SLUICE_WEB AUTO CACHE STRING "Interactive report: AUTO, ON or OFF")
set_property(CACHE SLUICE_WEB PROPERTY STRINGS AUTO ON OFF)
set(web_dir ${CMAKE_SOURCE_DIR}/web)
set(template_dir ${CMAKE_BINARY_DIR}/generated/report)
set(SLUICE_WEB_READY FALSE)

# Sets `problem` when the front end cannot be built here.
function(sluice_prepare_web problem)
  find_program(SLUICE_NODE node)
  find_program(SLUICE_NPM npm)
  if(NOT SLUICE_NODE OR NOT SLUICE_NPM)
    set(${problem} "node or npm is missing" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${SLUICE_NODE} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
  string(REGEX REPLACE "^v" "" version "${version}")
  if(NOT version OR version VERSION_LESS 18)
    set(${problem} "Node.js is ${version}, 18 is needed" PARENT_SCOPE)
    return()
  endif()
  # Several build directories may configure at once, but share the packages.
  file(LOCK ${web_dir}/.lock GUARD FUNCTION TIMEOUT 300 RESULT_VARIABLE locked)
  set(mark ${web_dir}/node_modules/.package-lock.json)
  if(NOT EXISTS ${mark} OR ${web_dir}/package-lock.json IS_NEWER_THAN ${mark})
    message(STATUS "Report: npm ci in web/")
    execute_process(COMMAND ${SLUICE_NPM} ci --ignore-scripts --fetch-retries=1 --loglevel=error
      WORKING_DIRECTORY ${web_dir} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE reason TIMEOUT 240)
    if(failed)
      set(${problem} "npm ci failed: ${reason}" PARENT_SCOPE)
      return()
    endif()
    file(TOUCH ${mark})
  endif()
  set(${problem} "" PARENT_SCOPE)
endfunction()

set(web_problem "SLUICE_WEB is OFF")
if(NOT SLUICE_WEB STREQUAL "OFF")
  sluice_prepare_web(web_problem)
endif()
if(web_problem)
  if(SLUICE_WEB STREQUAL "ON")
    message(FATAL_ERROR "SLUICE_WEB=ON, but ${web_problem}")
  endif()
  message(STATUS "Report: plain form only, without charts (${web_problem})")
  file(GENERATE OUTPUT ${template_dir}/no_template.cpp CONTENT "// Written by cmake/web.cmake.
#include \"report/template.h\"
namespace sluice::report {
std::vector<std::string_view> TemplatePieces() {
  return {};
}
}  // namespace sluice::report
")
  target_sources(sluice_report PRIVATE ${template_dir}/no_template.cpp)
else()
  set(SLUICE_WEB_READY TRUE)
  file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${web_dir}/src/*)
  add_custom_command(OUTPUT ${template_dir}/template.cpp ${template_dir}/template.html
    COMMAND ${SLUICE_NODE} ${web_dir}/build.mjs --out ${template_dir}
    DEPENDS ${web_sources} ${web_dir}/build.mjs ${web_dir}/package-lock.json
    COMMENT "Bundling the report" VERBATIM)
  target_sources(sluice_report PRIVATE ${template_dir}/template.cpp)
endif()
