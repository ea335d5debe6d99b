#!/bin/sh
# SPDX-License-Identifier: MIT
# One plain compiler command builds the library with a program; and libcede.a, which then serves the programs in the documents.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$SOURCE_DIR"

"$CC" -Iinclude -Isrc -O2 src/*/*.c src/*/*.S tests/install/program.c -pthread -o "$dir/program"
"$dir/program"

(cd "$dir" && "$CC" -I"$SOURCE_DIR/include" -I"$SOURCE_DIR/src" -O2 -c "$SOURCE_DIR"/src/*/*.c "$SOURCE_DIR"/src/*/*.S -pthread)
ar rcs "$dir/libcede.a" "$dir"/*.o
"$CC" -std=c11 -Iinclude tests/install/program.c "$dir/libcede.a" -pthread -o "$dir/program"
"$dir/program"

# The programs in the documents: each block of C that has a main.
awk -v out="$dir/example" '
    /^```c$/ { inside = 1; text = ""; next }
    /^```/ && inside { inside = 0; if (text ~ /int main\(/) { count++; printf "%s", text > (out count ".c") } next }
    inside { text = text $0 "\n" }
' README.md docs/*.md
[ -s "$dir/example3.c" ] || { echo "there are fewer programs in the documents than there were" && exit 1; }
for example in "$dir"/example*.c; do
    "$CC" -std=c11 -Wall -Wextra -Werror -Iinclude "$example" "$dir/libcede.a" -pthread -o "$dir/example"
    "$dir/example"
done

# With link-time optimisation, where only inline assembly names the record of a thread.
"$CC" -flto -O2 -Iinclude -Isrc src/*/*.c src/*/*.S tests/install/program.c -pthread -o "$dir/program"
"$dir/program"

# As a shared object without any flag for visibility.
"$CC" -shared -fPIC -O2 -Iinclude -Isrc src/*/*.c src/*/*.S -pthread -o "$dir/libcede.so"

# In C++: used by a constructor that runs before those of the library, and with a comma in an argument.
cat >"$dir/early.cpp" <<'END'
#include <cede/cede.h>
template <class A, class B> static void *value() { return nullptr; }
static void *body(void *, void *in) { return in; }
static int result = -100;
struct early {
    early()
    {
        cede_coro *coro;
        result = cede_coro_new(&coro, CEDE_PRIVATE, body, nullptr);
        if (result == 0)
            result = cede_coro_resume(coro, value<int, char>(), nullptr);
    }
};
static early an_early_one;
int main() { return result == 0 ? 0 : 1; }
END
"$CXX" -std=c++17 -O2 -Iinclude "$dir/early.cpp" "$dir/libcede.a" -pthread -o "$dir/early"
"$dir/early"
