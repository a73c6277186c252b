# Run by every build: writes OUTPUT with the version and the commit, touching it only when they changed.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "")
endif()
set(text "#pragma once
// Written by cmake/write_build_info.cmake.
#define SLUICE_VERSION \"${VERSION}\"
#define SLUICE_COMMIT \"${commit}\"
#define SLUICE_BUILD_TYPE \"${BUILD_TYPE}\"
#define SLUICE_SOURCE_DIRECTORY \"${SOURCE_DIR}\"
#define SLUICE_SHARE_DIRECTORY \"${SHARE_DIR}\"
")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT "${old}" STREQUAL "${text}")
  file(WRITE ${OUTPUT} "${text}")
endif()
