#!/bin/sh
# SPDX-License-Identifier: MIT
# What the libraries say about themselves: only the library's own names, a SONAME, no text relocations, no executable stack, and
# all of it marked for branch tracking (IBT), but never for shadow stacks (SHSTK), which a switch would break.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lib=$BINARY_DIR/libcede.so
part() { sed -n "s/^#define CEDE_VERSION_$1 \([0-9]*\)\$/\1/p" "$SOURCE_DIR/include/cede/version.h"; }
abi=$(part MAJOR)
[ "$abi" != 0 ] || abi=0.$(part MINOR) # until 1.0 each minor version may change the ABI
failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}

# (the gold linker also lists local thread-local symbols, with a small letter)
nm -D --defined-only "$lib" | awk '$2 ~ /[B-Z]/ { sub(/@.*/, "", $3); print $3 }' >"$dir/names"
grep -qx cede_version "$dir/names" || fail "cede_version is not exported"
if grep -vE '^(cede_[a-z][a-z0-9_]*|cede__tls[a-z0-9_]*|cede__resume_[a-z0-9_]*|cede__yield_any|cede__cxx_[a-z0-9_]*|cede__(task|sync|channel|future|generator|select|rpc)_([a-z_]*_)?(begin|end)|cede__task_next|cede__sync_watch|cede__debug_root)$' "$dir/names"; then
    fail "these names should be hidden"
fi

# Every function that the headers declare is there.
cat "$SOURCE_DIR"/include/cede/*.h "$SOURCE_DIR"/include/cede/inline/*.h |
    sed -n 's/^CEDE_API .*[ *]\(cede_[a-z0-9_]*\)(.*/\1/p' | sort -u >"$dir/declared"
grep -qx cede_coro_resume "$dir/declared" || fail "the declarations were not understood"
if grep -vxFf "$dir/names" "$dir/declared"; then
    fail "these functions are declared and not exported"
fi

readelf -d "$lib" >"$dir/dynamic"
grep -qF "[libcede.so.$abi]" "$dir/dynamic" || fail "SONAME is not libcede.so.$abi"
if grep -q TEXTREL "$dir/dynamic"; then
    fail "text relocations"
fi
readelf -lW "$lib" | grep GNU_STACK | grep -q ' RW  *0x' || fail "executable stack"

# An object without the mark takes it away from the whole program. (The shared library has it only where the C library's own
# start files do.)
if [ "$(uname -m)" = x86_64 ]; then
    for source in "$SOURCE_DIR"/src/*/*.S; do
        "$CC" -I"$SOURCE_DIR/include" -I"$SOURCE_DIR/src" -fcf-protection=branch -c "$source" -o "$dir/x.o"
        readelf -n "$dir/x.o" 2>/dev/null >"$dir/notes"
        grep -q IBT "$dir/notes" || fail "$source: not marked IBT"
        if grep -q SHSTK "$dir/notes"; then
            fail "$source: marked SHSTK"
        fi
    done
    # (With split stacks the linker cannot live with the marks.)
    if nm "$BINARY_DIR/libcede.a" | grep -q ' U __morestack$'; then
        exit $failed
    fi
    objects=$(ar t "$BINARY_DIR/libcede.a" | wc -l)
    readelf -n "$BINARY_DIR/libcede.a" 2>/dev/null | grep 'x86 feature:' >"$dir/notes" || true
    [ "$(grep -c IBT "$dir/notes")" -eq "$objects" ] || fail "not every object of libcede.a is marked IBT"
    if grep -q SHSTK "$dir/notes"; then
        fail "an object of libcede.a is marked SHSTK"
    fi
fi
exit $failed
