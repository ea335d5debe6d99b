# SPDX-License-Identifier: MIT
# Cross build for AArch64 with Debian's compiler; programs run under qemu-user. `scripts/setup ci` makes the sysroot, which
# holds what Debian has no cross package for.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH root)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu "${root}/build/sysroot-aarch64")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Landing pads and signed return addresses in the whole of it: what the switch must live with on processors that enforce both.
set(CMAKE_C_FLAGS_INIT -mbranch-protection=standard)
set(CMAKE_CXX_FLAGS_INIT -mbranch-protection=standard)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu)
