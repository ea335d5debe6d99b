# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the tests of the `cede` command have in common; they begin with `. command.sh`. CEDE is the path of the binary.
# Sets dir (a folder that is removed at the end), out and err (what the last run wrote), failed, got and title.

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
out=$dir/out
err=$dir/err

fail()
{
    failed=1
    echo "FAIL: $1"
    sed 's/^/  stdout: /' "$out"
    sed 's/^/  stderr: /' "$err"
}

# run STATUS ARGUMENT...: the command must exit with STATUS.
run()
{
    want=$1
    shift
    title="cede $*"
    "$CEDE" "$@" >"$out" 2>"$err" </dev/null
    got=$?
    [ "$got" -eq "$want" ] || fail "$title: exit status $got, not $want"
}

# says FILE TEXT: the last run has written TEXT there.
says()
{
    grep -qF -e "$2" "$1" || fail "$title: no '$2'"
}

# quiet FILE: the last run has written nothing there.
quiet()
{
    [ ! -s "$1" ] || fail "$title: this was to be empty"
}
