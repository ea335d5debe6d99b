#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The `cede` command, from outside: what it prints and where, and its exit statuses. CEDE is the path of the binary.
# Exits with 0, or 1 if a check failed, or 77 if there is nothing to check.

CEDE=${CEDE:?set CEDE to the path of the cede command}
[ -x "$CEDE" ] || { echo "SKIP: $CEDE is not there"; exit 77; }

. "$(dirname "$0")/../support/command.sh"

records=$dir/records.json
cat >"$records" <<'EOF'
{
  "first": [
    {"name": "caf\u00e9 \ud83d\ude00 \"quoted\"", "numbers": [0, -1, 2.50, 1e9, -0.5E-3], "deep": [[[[[{}]]]]]},
    {"name": "Łódź – 東京", "yes": true, "no": false, "nothing": null, "empty": "", "list": []}
  ],
  "title": "not a record, [nor] \"this\"",
  "second": [ "a string that is a record ]", {"nested": {"object": {"in": {"object": "\\\/\b\f\n\r\t"}}}} ]
}
EOF
# Which kinds of stack this build has.
run_both=0
"$CEDE" demo -n 1 --stack shared "$records" >"$out" 2>&1 </dev/null && run_both=1
if [ $run_both -eq 1 ]; then
    kinds="private shared both"
else
    grep -q 'not supported by this build' "$out" || { : >"$err"; fail "shared stacks"; }
    kinds="private both"
    run 2 demo -n 10 --stack shared "$records"
    says "$err" "not supported by this build"
    says "$err" "; use --stack private"
fi

# --- It works, on every kind of stack ---------------------------------------------------------------------------

for kind in $kinds; do
    run 0 demo --coroutines 2000 --stack "$kind" "$records"
    says "$out" "4 records"
    says "$out" "results equal the plain parse"
    quiet "$err"
    run 0 demo -n 500 --pieces 5000 --seed 7 --stack "$kind" "$records" # a byte a piece
    says "$out" "all"
    run 0 demo -n 3 -p 2 -s "$kind" "$records"
done
[ $run_both -eq 1 ] && { run 0 demo -n 2000 "$records"; says "$out" "times smaller per coroutine than private"; }
run 0 demo -n 1 -p 1000 -s private "$records"
says "$out" "in up to 1,000 pieces"
says "$out" "the one result equals the plain parse"

run 0 demo --coroutines 20000 --no-progress
if [ "$got" -eq 0 ]; then
    says "$out" "results equal the plain parse"
    quiet "$err"
    [ "$(awk 'length > 79' "$out" | wc -l)" -eq 0 ] || fail "$title: a line is longer than 79 columns"
fi

# --- A result that differs is found, and said: in a command with a planted bug ------------------------------------

if [ -n "${CEDE_WRONG:-}" ]; then
    printf '["a", "abcd", [1, 2, 3]]' >"$dir/odd.json"
    for kind in $kinds; do
        "$CEDE_WRONG" demo -n 100 --stack "$kind" "$dir/odd.json" >"$out" 2>"$err" </dev/null
        got=$?
        title="the command with a planted bug, $kind"
        [ $got -eq 1 ] || fail "$title: exit status $got, not 1"
        says "$err" "has another result than the plain parse"
        if grep -q 'equal' "$out"; then
            fail "$title: says that all is well"
        fi
    done
fi

# Check mode is said, and only when it is on.
if [ $run_both -eq 1 ]; then
    for value in 1 0 off ''; do
        export CEDE_CHECK_STACKS="$value"
        run 0 demo -n 10 -s shared "$records"
        unset CEDE_CHECK_STACKS
        if [ "$value" = 1 ]; then
            says "$out" "this is check mode"
        elif grep -q 'check mode' "$out"; then
            fail "$title: check mode with CEDE_CHECK_STACKS='$value'"
        fi
    done
fi

# --- Killing the command ends its run -----------------------------------------------------------------------------

# The run, which would take minutes, holds the other end of the pipe: `cat` ends when both processes have ended.
{ printf '["'; head -c 100000 /dev/zero | tr '\0' a; printf '"]'; } >"$dir/long.json"
mkfifo "$dir/pipe"
"$CEDE" demo -n 10000 -p 100000 -s private "$dir/long.json" >"$dir/pipe" 2>"$err" </dev/null &
{
    read -r first <&3 # which is said just before the run
    sleep 1
    kill -9 $! && wait $!
    timeout 60 cat <&3 >"$out" 2>&1 || fail "killed after '$first': its run goes on"
} 3<"$dir/pipe" 2>/dev/null

# --- What are records -------------------------------------------------------------------------------------------

# count RECORDS TEXT
count()
{
    printf '%s' "$2" >"$dir/text.json"
    run 0 demo -n 50 -s private "$dir/text.json"
    says "$out" "$1 record$([ "$1" -eq 1 ] || echo s) ("
    says "$out" "of 1 file;"
}
count 3 '[1, "two", {"three": [3]}]'
count 3 ' { "a" : [ 1 , [2] ] , "b" : "]" , "c" : [] , "d" : [ {} ] } '
count 1 '{"a": {"b": [1, 2]}, "c": "[1]"}'
count 1 '42'
count 1 '"\ud834\udd1e"'
count 1 '{}'
count 2 '["[", "\\\"]"]'

printf '[1, 2]' | "$CEDE" demo -n 50 -s private - >"$out" 2>"$err" || fail "demo -, for standard input"
says "$out" "2 records (2 bytes)"

# --- JSON for machines is JSON ----------------------------------------------------------------------------------

run 0 demo --json -n 1000 "$records"
quiet "$err"
says "$out" '"verified": true'
says "$out" '"stack": "private"'
cp "$out" "$dir/figures.json"
run 0 demo -n 10 -s private "$dir/figures.json"
says "$out" "results equal the plain parse"

# --- Malformed JSON: the place and the reason -------------------------------------------------------------------

# malformed LINE:COLUMN TEXT MESSAGE; TEXT as printf wants it
malformed()
{
    # shellcheck disable=SC2059 # it is a format, for its escapes
    printf "$2" >"$dir/bad.json"
    run 2 demo -n 10 "$dir/bad.json"
    says "$err" "cede: $dir/bad.json:$1: $3"
    quiet "$out"
}
malformed 2:1 ' \n' 'the text ends where a value is expected'
malformed 1:1 '\357\273\277[]' 'the text must not begin with a byte order mark: remove the first three bytes'
malformed 1:1 '\357\273[]' 'a value is expected here'
malformed 2:4 '[1,\n 2 3]' "',' or ']'"
malformed 3:1 '{"a": 1,\n\n}' 'a name in double quotes'
malformed 1:4 '[1,]' 'a value is expected here'
malformed 1:6 '{"a" 1}' "':' is expected"
malformed 1:9 '{"a": 1 ' "',' or '}'"
malformed 1:9 '{"a": 1 "b": 2}' "',' or '}'"
malformed 1:3 '[-]' 'a digit is expected'
malformed 1:3 '[01]' "',' or ']'"
malformed 1:4 '[1.]' 'a digit is expected'
malformed 1:4 '[1e]' 'a digit is expected'
malformed 1:2 '[+1]' 'a value is expected here'
malformed 1:4 '[trve]' 'unknown word'
malformed 1:2 '[NaN]' 'a value is expected here'
malformed 1:4 '["a\n"]' 'a control character'
malformed 1:4 '["a' 'the text ends inside of a string'
malformed 1:4 '["\\x"]' 'unknown escape'
malformed 1:6 '["\\u0g00"]' 'four hexadecimal digits'
malformed 1:9 '["\\ud800"]' 'the first half of a surrogate pair'
malformed 1:15 '["\\ud800\\u0041"]' 'the first half of a surrogate pair'
malformed 1:9 '["\\udc00"]' 'the second half of a surrogate pair'
malformed 1:3 '["\377"]' 'invalid UTF-8'
malformed 1:3 '["\300\200"]' 'invalid UTF-8'
malformed 1:4 '["\355\240\200"]' 'invalid UTF-8'
malformed 1:4 '["\364\220\200\200"]' 'invalid UTF-8'
malformed 1:5 '["\342\202"]' 'invalid UTF-8'
malformed 1:4 '[] []' 'the text must end here'
malformed 1:129 "$(printf '%200s' '' | tr ' ' '[')" 'objects and arrays are nested too deeply'

# --- What cannot be done: exit status 2 and a reason ------------------------------------------------------------

run 2 demo -n 10 "$dir/there is no such file"
says "$err" "cede: '$dir/there is no such file': No such file or directory"
run 2 demo -n 10 ''
says "$err" "cede: '': No such file or directory"
run 2 demo -n 10 "$dir"
says "$err" "cede: '$dir': is a directory: name the files in it"
run 2 demo -n 10 /dev/null
says "$err" "cede: '/dev/null': the file is empty"
if [ "$(id -u)" -ne 0 ]; then
    printf '[1]' >"$dir/secret.json"
    chmod 0 "$dir/secret.json"
    run 2 demo -n 10 "$dir/secret.json"
    says "$err" "Permission denied"
fi
printf '[]' >"$dir/empty.json"
run 2 demo -n 10 "$dir/empty.json"
says "$err" "there are no records"
for kind in private shared; do
    for number in 4000000000000 99999999999999999999999999; do
        run 2 demo --coroutines $number --stack $kind "$records"
        says "$err" "cannot fit"
        says "$err" "; try --coroutines "
        quiet "$out"
    done
done
for arguments in "--no-such-option" "-n" "-n 0" "-n -5" "-n 12x" "--coroutines=" "-p 1" "-p 0" "-p 9999999" \
    "--stack none" "--seed x" "--seed 99999999999999999999999"; do
    # shellcheck disable=SC2086 # it is to be split
    run 2 demo $arguments "$records"
    says "$err" "cede demo: "
    quiet "$out"
done
run 2 demo -n abc "$records"
says "$err" "--coroutines: 'abc' is not a whole number"
run 2 demo -n 0 "$records"
says "$err" "--coroutines: give 1 or more"
run 2 demo -p 1 "$records"
says "$err" "--pieces: '1' is not allowed: give 2 to 100000"
run 0 demo -n 5 --seed 18446744073709551615 -s private "$records"
run 2
says "$err" "a command is missing"
run 2 no-such-command
says "$err" "no command 'no-such-command'"
run 2 --no-such-option
grep -q '^cede: ' "$err" || fail "$title: no 'cede: ' in front"
run 2 version too much
run 2 help no-such-command
run 2 help demo version

# --- Help and version -------------------------------------------------------------------------------------------

run 0 demo --help
for option in --coroutines --pieces --stack --seed --json --no-progress FILE "Exit status"; do
    says "$out" "$option"
done
cp "$out" "$dir/help"
run 0 help demo
cmp -s "$out" "$dir/help" || fail "help demo and demo --help differ"
run 0 --help
says "$out" "demo"
says "$out" "version"
cp "$out" "$dir/help"
run 0 help
cmp -s "$out" "$dir/help" || fail "help and --help differ"
run 0 version
grep -Eq '^cede [0-9]+\.[0-9]+\.[0-9]+ \(.+\)$' "$out" || fail "version"
run 0 help version

# --- Output that cannot be written is a failure, also where it is help ---------------------------------------------

if [ -w /dev/full ]; then
    for arguments in version --version --help help "demo --help" "help demo" "demo -n 10 -s private $records"; do
        # shellcheck disable=SC2086 # it is to be split
        "$CEDE" $arguments >/dev/full 2>"$err" </dev/null
        got=$?
        title="cede $arguments >/dev/full"
        [ $got -eq 2 ] || fail "$title: exit status $got"
        says "$err" "No space left on device"
    done
fi

# Closed standard streams: no other file may take their place, and what could not be printed is a failure.
: >"$out"
"$CEDE" demo -n 10 -s private "$records" <&- >"$out" 2>"$err" || fail "demo <&-: exit status $?"
says "$out" "all 10 results equal the plain parse"
for arguments in version "demo -n 10 -s private $records"; do
    # shellcheck disable=SC2086 # it is to be split
    "$CEDE" $arguments <&- >&- 2>"$err"
    got=$?
    title="cede $arguments <&- >&-"
    [ $got -eq 2 ] || fail "$title: exit status $got"
    says "$err" "standard output: Bad file descriptor"
    # shellcheck disable=SC2086
    "$CEDE" $arguments <&- >&- 2>&-
    got=$?
    [ $got -eq 2 ] || fail "$title 2>&-: exit status $got"
done

# --- On a terminal: a bar that fits ---------------------------------------------------------------------------------

# on_terminal COLUMNS: the widest line that a run draws, in columns.
widest_on_terminal()
{
    script -qec "stty cols $1; '$CEDE' demo -n 20000 -s private '$records' >/dev/null" /dev/null </dev/null 2>"$err" |
        tr '\r' '\n' | awk '{ if (length > most) most = length } END { print most + 0 }'
}
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    for columns in 20 40 80 200; do
        : >"$out"
        widest=$(widest_on_terminal $columns)
        title="a terminal of $columns columns"
        [ "$widest" -gt 10 ] || fail "$title: no progress was drawn"
        [ "$widest" -lt "$columns" ] || fail "$title: a line of $widest columns"
    done
fi

[ $failed -eq 0 ] && echo "ok"
exit $failed
