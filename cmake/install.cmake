# SPDX-License-Identifier: MIT
# What `cmake --install` copies; only when cede is the project that is built, not a part of another one.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/cede DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(TARGETS cede_static cede_shared EXPORT cedeTargets)
if(CEDE_BUILD_TOOLS)
    install(TARGETS cede_tool)
endif()

# --- CMake package: find_package(cede), targets cede::cede (shared) and cede::static --------------------------------

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/cede")
configure_package_config_file(cmake/cedeConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/cedeConfig.cmake"
    INSTALL_DESTINATION "${package_dir}"
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/cedeConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(EXPORT cedeTargets NAMESPACE cede:: DESTINATION "${package_dir}")
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/cedeConfig.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/cedeConfigVersion.cmake"
    DESTINATION "${package_dir}")

# --- pkg-config: cede.pc, with paths relative to itself, so that `cmake --install --prefix` may choose the place ------

set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    set(PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
    file(RELATIVE_PATH up "/${pc_dir}" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(PC_PREFIX "\${pcfiledir}/${up}")
    set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(pc_flags ${CEDE_PUBLIC_FLAGS})
list(TRANSFORM pc_flags REPLACE "^\\$<\\$<COMPILE_LANGUAGE:[A-Z,]*>:(.*)>$" "\\1")
foreach(definition IN LISTS CEDE_PUBLIC_DEFINITIONS)
    list(APPEND pc_flags -D${definition})
endforeach()
list(JOIN pc_flags " " PC_CFLAGS)
list(JOIN CEDE_LINK_FLAGS " " PC_LIBS)
configure_file(cmake/cede.pc.in "${CMAKE_CURRENT_BINARY_DIR}/cede.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/cede.pc" DESTINATION "${pc_dir}")
