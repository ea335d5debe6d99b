#!/bin/sh
# SPDX-License-Identifier: MIT
# What is installed serves a program: through pkg-config and through find_package, with the shared and with the static library.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix
cmake --install "$BINARY_DIR" --prefix "$prefix" >"$dir/log"
program=$SOURCE_DIR/tests/install/program.c

# --- pkg-config ---
pc=$(find "$prefix" -name cede.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH="${pc%/*}"
version=$(sed -n 's/^#define CEDE_VERSION_[A-Z]* \([0-9]*\)$/\1/p' "$SOURCE_DIR/include/cede/version.h" | paste -sd.)
[ "$(pkg-config --modversion cede)" = "$version" ]

# Lists of words, on purpose.
# shellcheck disable=SC2046
"$CC" "$program" $(pkg-config --cflags --libs cede) "-Wl,-rpath,$libdir" -o "$dir/shared"
readelf -d "$dir/shared" | grep -q 'NEEDED.*libcede\.so\.'
"$dir/shared"

# The same words with the archive in the place of -lcede.
static=$(pkg-config --static --libs cede | sed 's/-lcede\>/-l:libcede.a/')
# shellcheck disable=SC2046,SC2086
"$CC" $(pkg-config --cflags cede) "$program" $static -o "$dir/static"
if readelf -d "$dir/static" | grep -q 'NEEDED.*libcede'; then
    echo "the static program needs libcede.so"
    exit 1
fi
"$dir/static"

# --- loaded while the program runs, and closed before a thread that used it ends ---
cat >"$dir/plugin.c" <<'EOF'
#include <cede/cede.h>
#include <dlfcn.h>
#include <pthread.h>
typedef int create_function(cede_coro **, cede_stack_choice, cede_entry *, void *);
static void *body(void *arg, void *in) { (void)arg; return in; }
static void *use(void *path)
{
    void *handle = dlopen(path, RTLD_NOW);
    create_function *create = (create_function *)dlsym(handle, "cede_coro_new");
    cede_coro *coro;
    int error = create(&coro, CEDE_PRIVATE, body, 0);
    dlclose(handle);
    return error ? path : 0;
}
int main(int argc, char **argv)
{
    pthread_t thread;
    void *result = argv[argc - 1];
    pthread_create(&thread, 0, use, argv[1]);
    pthread_join(thread, &result);
    return result != 0;
}
EOF
"$CC" -DCEDE_INLINE=0 "-I$prefix/include" "$dir/plugin.c" -pthread -ldl -o "$dir/plugin"
"$dir/plugin" "$libdir/libcede.so"

# --- find_package ---
mkdir "$dir/project"
cat >"$dir/project/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(cede ${version%.*} REQUIRED)
add_executable(with_shared "$program")
target_link_libraries(with_shared PRIVATE cede::cede)
add_executable(with_static "$program")
target_link_libraries(with_static PRIVATE cede::static)
EOF
cmake -G Ninja -S "$dir/project" -B "$dir/user" -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$prefix" >>"$dir/log" || {
    cat "$dir/log"
    exit 1
}
cmake --build "$dir/user" -j 2 >>"$dir/log" || {
    cat "$dir/log"
    exit 1
}
"$dir/user/with_shared"
"$dir/user/with_static"

# --- as a part of another project: no install rules, no tests, no tools ---
mkdir "$dir/parent"
cat >"$dir/parent/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(parent LANGUAGES C)
add_subdirectory("$SOURCE_DIR" cede)
add_executable(part "$program")
target_link_libraries(part PRIVATE cede::static)
EOF
cmake -G Ninja -S "$dir/parent" -B "$dir/part" -DCMAKE_C_COMPILER="$CC" >>"$dir/log" || {
    cat "$dir/log"
    exit 1
}
cmake --build "$dir/part" -j 2 --target part >>"$dir/log" || {
    cat "$dir/log"
    exit 1
}
"$dir/part/part"
[ ! -e "$dir/part/cede/tests" ] && [ ! -e "$dir/part/cede/tools" ]

# --- the command ---
if [ -e "$BINARY_DIR/tools/cede" ]; then
    "$prefix/bin/cede" version >/dev/null
fi
