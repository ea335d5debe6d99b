#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header, alone and first, compiles as C11 and as C++17, with each compiler that is here, without a warning; with
# inline switches and without.
set -eu
cd "$SOURCE_DIR/include"
failed=0
checked=0

# try COMPILER LANGUAGE STANDARD HEADER FLAGS...
try() {
    compiler=$1 language=$2 standard=$3 header=$4
    shift 4
    checked=$((checked + 1))
    if ! printf '#include <%s>\n#include <%s>\nextern int not_empty;\n' "$header" "$header" |
        "$compiler" -x "$language" -std="$standard" -I. -O1 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "$@" -; then
        echo "FAILED: $header with $compiler -std=$standard $*"
        failed=1
    fi
}

# The compilers that are here, each once.
here() {
    for compiler in "$@"; do
        path=$(command -v "$compiler") && echo "$(readlink -f "$path") $compiler"
    done | sort -u -k 1,1 | cut -d ' ' -f 2
}

headers=$(find cede -name '*.h' ! -path 'cede/inline/*' | sort)
for compiler in $(here "$CC" gcc clang clang-14); do
    for header in $headers; do
        try "$compiler" c c11 "$header"
        try "$compiler" c c11 "$header" -DCEDE_INLINE=0
    done
done
for compiler in $(here "$CXX" g++ clang++ clang++-14); do
    for header in $headers; do
        try "$compiler" c++ c++17 "$header"
        try "$compiler" c++ c++17 "$header" -DCEDE_INLINE=0
    done
done
[ "$checked" -gt 0 ]
echo "$checked compilations"
exit $failed
