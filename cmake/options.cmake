# SPDX-License-Identifier: MIT
# The options of the build, and the flags that follow from them.
#
# Sets: CEDE_FLAGS (warnings and hardening, for everything built here), CEDE_PUBLIC_FLAGS and CEDE_LINK_FLAGS (also for whoever
# links the library), CEDE_DEFINITIONS (for what is built here), CEDE_PUBLIC_DEFINITIONS (for whoever includes the headers).
include(CheckCCompilerFlag)

option(CEDE_WERROR "Treat warnings as errors" OFF)
option(CEDE_UCONTEXT "Switch with ucontext instead of assembly" OFF)
option(CEDE_SPLIT_STACK "Grow stacks in segments (-fsplit-stack); excludes shared stacks" OFF)
option(CEDE_CHECKED "Check handles, and pointers handed across switches, at each call" OFF)
set(CEDE_SANITIZE "" CACHE STRING "Build with a sanitizer: empty, address (with undefined), or thread")
set_property(CACHE CEDE_SANITIZE PROPERTY STRINGS "" address thread)
option(CEDE_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(CEDE_BUILD_TOOLS "Build the cede command" ${PROJECT_IS_TOP_LEVEL})
option(CEDE_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(CEDE_BUILD_BENCH "Build the programs that cede bench runs, with those of the rivals that are installed" OFF)
option(CEDE_CCACHE "Compile through ccache where it is found" ${PROJECT_IS_TOP_LEVEL})
set(CEDE_TEST_WRAPPER "" CACHE STRING "A command that runs each test program, as a list (for example valgrind;-q)")

if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
        set_property(CACHE CMAKE_BUILD_TYPE PROPERTY VALUE RelWithDebInfo) # -O2 -g
    endif()
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

if(CEDE_CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
    find_program(CEDE_CCACHE_PROGRAM ccache)
    if(CEDE_CCACHE_PROGRAM)
        set(CMAKE_C_COMPILER_LAUNCHER "${CEDE_CCACHE_PROGRAM}")
        set(CMAKE_CXX_COMPILER_LAUNCHER "${CEDE_CCACHE_PROGRAM}")
    endif()
endif()

set(CEDE_FLAGS -Wall -Wextra -Wpedantic)
set(CEDE_PUBLIC_FLAGS "")
set(CEDE_LINK_FLAGS "")
set(CEDE_DEFINITIONS "")
set(CEDE_PUBLIC_DEFINITIONS "")

if(CEDE_WERROR)
    list(APPEND CEDE_FLAGS -Werror)
endif()

# A frame larger than the guard page must not step over it. And indirect branches may be tracked: the assembly is fit for
# it, and a library is marked as fit only if all of it is.
set(CMAKE_REQUIRED_FLAGS -Werror)
check_c_compiler_flag(-fstack-clash-protection CEDE_HAVE_STACK_CLASH_PROTECTION)
check_c_compiler_flag(-fcf-protection=branch CEDE_HAVE_CF_PROTECTION)
check_c_compiler_flag(-mbranch-protection=standard CEDE_HAVE_BRANCH_PROTECTION)
unset(CMAKE_REQUIRED_FLAGS)
if(CEDE_HAVE_STACK_CLASH_PROTECTION)
    list(APPEND CEDE_FLAGS -fstack-clash-protection)
endif()
if(CEDE_SPLIT_STACK)
    # The gold linker, which must know how each function begins, does not know one that begins with a landing pad.
elseif(CEDE_HAVE_CF_PROTECTION)
    list(APPEND CEDE_FLAGS -fcf-protection=branch)
elseif(CEDE_HAVE_BRANCH_PROTECTION)
    list(APPEND CEDE_FLAGS -mbranch-protection=standard)
endif()

if(CEDE_UCONTEXT)
    list(APPEND CEDE_DEFINITIONS CEDE_UCONTEXT=1)
endif()

if(CEDE_SPLIT_STACK)
    list(APPEND CEDE_DEFINITIONS CEDE_SPLIT_STACK=1)
    list(APPEND CEDE_PUBLIC_FLAGS $<$<COMPILE_LANGUAGE:C,CXX>:-fsplit-stack>)
    list(APPEND CEDE_LINK_FLAGS -fsplit-stack -fuse-ld=gold) # gold makes room where split code calls code that is not
endif()

if(CEDE_SANITIZE STREQUAL "address")
    set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(CEDE_SANITIZE STREQUAL "thread")
    set(sanitize -fsanitize=thread -fno-omit-frame-pointer)
elseif(CEDE_SANITIZE)
    message(FATAL_ERROR "CEDE_SANITIZE is \"${CEDE_SANITIZE}\"; it may be empty, address or thread")
endif()
if(CEDE_SANITIZE)
    list(APPEND CEDE_PUBLIC_FLAGS ${sanitize})
    list(APPEND CEDE_LINK_FLAGS ${sanitize})
endif()

if(CEDE_CHECKED)
    list(APPEND CEDE_DEFINITIONS CEDE_CHECKED=1)
endif()
if(CEDE_CHECKED OR CEDE_SANITIZE)
    list(APPEND CEDE_FLAGS -UNDEBUG) # these builds look for mistakes: the library's own assertions stay in
endif()

# In these builds resume and yield are calls; the header and the library must agree on it.
if(CEDE_UCONTEXT OR CEDE_SPLIT_STACK OR CEDE_CHECKED OR CEDE_SANITIZE)
    list(APPEND CEDE_PUBLIC_DEFINITIONS CEDE_INLINE=0)
endif()
