#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `cede bench`, from outside: real programs for a few milliseconds, then fake ones whose figures are known. CEDE is the path of
# the command, beside which the programs are. No time is judged. Exits with 0, or 1 if a check failed, or 77 if there is
# nothing to check.

CEDE=${CEDE:?set CEDE to the path of the cede command}
programs=$(dirname "$CEDE")/../bench
[ -x "$programs/bench-cede-inline" ] || { echo "SKIP: the programs in $programs are not built"; exit 77; }

. "$(dirname "$0")/../support/command.sh"
unset CEDE_BENCH_DIR

# plain FILE: there are no control characters in it.
plain()
{
    ! LC_ALL=C tr -d '\n\040-\176' <"$1" | grep -q . || fail "$title: control characters in $1"
}

# What this build cannot do: the programs say it, and that is checked below.
shared=1
"$programs/bench-cede-shared" shared/alone 1 0 1 1 >"$out" 2>"$err" || shared=0
floats=1
"$programs/bench-cede-fp" switch/hot 1 0 1 1 >"$out" 2>"$err" || floats=0

# --- Each program does each of its cases ----------------------------------------------------------------------------

# figures PROGRAM CASE N BYTES: as the protocol says, and at least as many bytes as were asked for.
figures()
{
    title="bench-$1 $2 $3 $4"
    if ! "$programs/bench-$1" "$2" "$3" "$4" 2 1 >"$out" 2>"$err"; then
        fail "$title"
        return
    fi
    quiet "$err"
    awk -v least="$4" '
        $1 == "start" && $2 > 0 { start++ }
        $1 == "rss" && $2 ~ /^-?[0-9]+$/ { rss++ }
        $1 == "bytes" && $2 >= least { bytes++ }
        $1 == "ns" && $2 > 0 { ns++ }
        END { exit !(start == 1 && rss == 1 && bytes == 1 && ns == 2 && NR == 5) }
    ' "$out" || fail "$title: other figures than expected"
}

for path in "$programs"/bench-*; do
    program=${path##*/bench-}
    case $program in
    cede-shared) [ $shared -eq 1 ] || continue ;;
    cede-fp) [ $floats -eq 1 ] || continue ;;
    cede-* | memcpy2 | asm-jmp) ;;
    *) continue ;; # of rivals, which are not tested here
    esac
    "$path" --version >"$out" 2>"$err" || fail "$program --version"
    [ "$(wc -l <"$out")" -eq 1 ] || fail "$program --version: not one line"
    "$path" --list >"$dir/list" || fail "$program --list"
    while IFS='	' read -r name unit; do
        [ -n "$unit" ] || fail "$program --list: $name counts nothing"
        case $name in
        shared/alternate) for bytes in 1 72 152 1100 4096 65536; do figures "$program" "$name" 2 $bytes; done ;;
        shared/turn) figures "$program" "$name" 50 300 ;;
        many/* | scale/* | task/many | task/sleeping | timer/*) figures "$program" "$name" 100 0 ;;
        *) figures "$program" "$name" 1 0 ;;
        esac
    done <"$dir/list"
done

for arguments in "" "switch/no-such-case 1 0 1 1" "switch/hot 0 0 1 1" "switch/hot 1 0 0 1" "switch/hot 1 0 1"; do
    title="bench-cede-inline $arguments"
    # shellcheck disable=SC2086 # it is to be split
    "$programs/bench-cede-inline" $arguments >"$out" 2>"$err"
    [ $? -eq 2 ] || fail "$title: not refused"
    says "$err" "bench: "
done

# --- A run of real programs -------------------------------------------------------------------------------------------

status=$((1 - floats))
run $status bench --suite switch --repetitions 5 --time 1 --json "$dir/run.json"
quiet "$err"
plain "$out"
for subject in cede-inline cede-static cede-dso; do
    for name in switch/hot switch/generator; do
        line="^\{\"suite\": \"switch\", \"case\": \"$name\", \"subject\": \"$subject\", \"n\": 1, \"bytes\": [0-9]+, "
        line="$line\"ns_median\": [0-9.]+, \"ns_min\": [0-9.]+, \"rss_bytes\": -?[0-9]+, \"unit\": \"ns per [a-z ]+\"\}\$"
        [ "$(grep -cE "$line" "$dir/run.json")" -eq 1 ] || fail "$title: not one line of $name $subject as expected"
    done
done
[ "$(grep -vcE '^\{("[a-z_]+": ("[^"]*"|-?[0-9.]+)(, |\}$)){9}$' "$dir/run.json")" -eq 0 ] || fail "$title: no JSON lines"
says "$out" "boost-fcontext"
[ "$(grep -c '^  subject' "$out")" -eq 2 ] || fail "$title: not two tables"
run 0 bench --targets "$dir/run.json"
says "$out" "targets were measured"

if [ $shared -eq 1 ]; then
    run 0 bench --suite create --suite shared --subject cede-shared -r 5 --time 1 --quick --json "$dir/shared.json"
    cut -d '"' -f 8 "$dir/shared.json" | tr '\n' ' ' >"$out"
    says "$out" "create/cycle shared/alone shared/alternate-72 shared/alternate-152 shared/alternate-1100 shared/turn-10000-152 "
else
    run 1 bench --suite create --subject cede-shared --subject cede-pool -r 5 --time 1
    says "$out" "failed: cede_coro_new: "
fi

# --- Fakes, whose figures are known -----------------------------------------------------------------------------------

fakes=$dir/fakes
mkdir "$fakes"
# fake_of CASES NAME LINE...: a program that knows these cases, and executes these lines to measure $4 repetitions.
fake_of()
{
    cases=$1
    path=$fakes/bench-$2
    shift 2
    {
        echo '#!/bin/sh'
        echo "cases='$cases'"
        echo 'case $1 in --list) printf "%s\tround trip\n" $cases; exit ;; --version) echo "fake 1"; exit ;; esac'
        printf '%s\n' "$@"
    } >"$path"
    chmod +x "$path"
}
fake()
{
    fake_of switch/hot "$@"
}
thrice='printf "start 1000\nrss 10\nbytes 7\n"; [ "$4" -eq 3 ] || exit 3'
fake cede-inline "$thrice" 'printf "ns 2\nns 4\nns 3\n"'
fake cede-static "$thrice" 'printf "ns 9.6\nns 9.6\nns 9.6\n"'
fake boost-fcontext "$thrice" 'printf "ns 10\nns 10\nns 10\n"'
export CEDE_BENCH_DIR="$fakes"

run 0 bench -s switch
quiet "$err"
plain "$out"
grep -Eq '^  cede-inline +3\.00 +2\.00 +66\.7 % +0\.30$' "$out" || fail "$title: cede-inline"
grep -Eq '^  boost-fcontext +10\.00 +10\.00 +0\.0 % +1\.00$' "$out" || fail "$title: boost-fcontext"
says "$out" "ratio to boost-fcontext"
grep -Eq '^  switch/hot +cede-inline +<= 0\.40 x boost-fcontext +0\.30 x +met$' "$out" || fail "$title: a target is met"
grep -Eq '^  switch/hot +cede-static +<= 0\.85 x boost-fcontext +0\.96 x +MISSED$' "$out" || fail "$title: one is missed"
says "$out" "2 of "
grep -Eq '^  pcl +not built: install libpcl1-dev' "$out" || fail "$title: what is not built"
sed -n 's/^  \([a-z-]*\) .*/\1/p' "$out" | sed -n 2,4p | tr '\n' ' ' >"$dir/order"
[ "$(cat "$dir/order")" = "cede-inline cede-static boost-fcontext " ] || fail "$title: not fastest first"

run 0 bench -s switch -b cede-inline --json "$dir/one.json" --report "$dir/report"
[ "$(cat "$dir/one.json")" = '{"suite": "switch", "case": "switch/hot", "subject": "cede-inline", "n": 1, "bytes": 7, '\
'"ns_median": 3.0000, "ns_min": 2.0000, "rss_bytes": 10, "unit": "ns per round trip"}' ] || fail "$title: JSON"

run 0 bench --list
says "$out" "fake 1"
says "$out" "not built: install"

# Programs that fail stay in the table, with the reason, and the others go on.
fake boost-fcontext 'echo "first line" >&2; printf "bench: no \033[31mluck\n" >&2; exit 2'
fake boost-fiber-pooled 'kill -SEGV $$'
fake pcl 'echo "ns 1"'
fake lua 'echo "ns x"; echo "ns -1"; echo "ns 2"'
fake state-threads 'exit 9'
printf '#!/bin/sh\nexit 4\n' >"$fakes/bench-go"
printf 'no program\n' >"$fakes/bench-gnu-pth"
chmod +x "$fakes/bench-go" "$fakes/bench-gnu-pth"
run 0 bench -s switch --json "$dir/failures.json" --report "$dir/report"
plain "$out"
says "$out" "failed: no  [31mluck"
says "$out" "failed: Segmentation fault"
says "$out" "failed: it did not print as many figures as were asked for"
says "$out" "failed: its output cannot be used"
says "$out" "failed: exit status 9"
says "$out" "failed: --list: exit status 4"
grep -Eq '^  gnu-pth +failed: --list: ' "$out" || fail "$title: what is no program"
grep -Eq '^  cede-inline +3\.00' "$out" || fail "$title: the others did not go on"
[ "$(wc -l <"$dir/failures.json")" -eq 2 ] || fail "$title: a failure in the JSON lines"
grep -q '^switch,switch/hot,pcl,.*"failed: ' "$dir/report/results.csv" || fail "$title: no failure in results.csv"
fake cede-static 'echo broken >&2; exit 2'
run 1 bench -s switch -b cede-inline -b cede-static
says "$out" "failed: broken"
run 2 bench -s switch -b cede-static # its only one
says "$err" "nothing was measured"
run 2 bench -s deep
says "$err" "nothing was measured"

# --- Passes -----------------------------------------------------------------------------------------------------------

# A machine that becomes half as quick in the middle of pass 3. The ratio of the two medians is 0.6; each pass but the
# third says 0.3. And each pass begins with another subject.
log=$dir/log
passes=$dir/passes
mkdir "$passes"
CEDE_BENCH_DIR=$passes
real=$fakes
fakes=$passes
# drifting NAME A B C D E: what it measures in each pass.
drifting()
{
    name=$1
    shift
    fake "$name" "set -- \"\$4\" $*" "echo $name \"\$1\" >>'$log'" "at=\$(grep -c '^$name ' '$log')" \
        'times=$1; shift "$at"; for i in $(seq "$times"); do echo "ns $1"; done'
}
drifting cede-inline 3 3 6 6 6
drifting boost-fcontext 10 10 10 20 20
: >"$log"
run 0 bench -s switch -b cede-inline -b boost-fcontext --report "$dir/drift"
grep -Eq '^  cede-inline +6\.00 +3\.00 +50\.0 % +0\.30$' "$out" ||
    fail "$title: the ratio is not that within the passes"
grep -Eq '^  switch/hot +cede-inline +<= 0\.40 x boost-fcontext +0\.30 x +met$' "$out" ||
    fail "$title: nor the target's"
tr '\n' ' ' <"$log" >"$dir/order"
[ "$(cat "$dir/order")" = "cede-inline 3 boost-fcontext 3 boost-fcontext 3 cede-inline 3 cede-inline 3 \
boost-fcontext 3 boost-fcontext 3 cede-inline 3 cede-inline 3 boost-fcontext 3 " ] ||
    fail "$title: other processes: $(cat "$dir/order")"
[ "$(cut -d , -f 3,4 "$dir/drift/raw.csv" | grep -c '^boost-fcontext,5$')" -eq 3 ] || fail "$title: raw.csv: pass 5"
: >"$log"
run 0 bench -s switch -b cede-inline -b boost-fcontext --quick --repetitions 8
cut -d ' ' -f 2 "$log" | tr '\n' ' ' >"$dir/order"
[ "$(cat "$dir/order")" = "2 2 3 3 3 3 " ] || fail "$title: not three passes: $(cat "$dir/order")"

# --- References of other cases: measured once more beside each case ---------------------------------------------------

print='for i in $(seq "$4"); do echo "ns $ns"; done'
fake boost-fcontext "echo fcontext >>'$log'; ns=10" "$print"
fake_of "shared/alternate scale/order" cede-shared "echo shared \$1 >>'$log'; ns=12" "$print"
: >"$log"
run 0 bench -s shared -b cede-shared -b boost-fcontext --json "$dir/beside.json"
grep -Eq '^  boost-fcontext switch/hot +10\.00 +10\.00 +0\.0 % +1\.00$' "$out" || fail "$title: no row of the reference"
grep -Eq '^  cede-shared +12\.00 +12\.00 +0\.0 % +1\.20' "$out" || fail "$title: no ratio to it"
head -n 4 "$log" | tr '\n' ' ' >"$dir/order"
[ "$(cat "$dir/order")" = "fcontext shared shared/alternate shared shared/alternate fcontext " ] ||
    fail "$title: not beside each other: $(cat "$dir/order")"
met='^  shared/alternate-72 +cede-shared +<= 0\.90 x boost-fcontext switch/hot +1\.20 x +MISSED$'
grep -Eq "$met" "$out" || fail "$title: no target"
line='"case": "shared/alternate-72", "subject": "boost-fcontext switch/hot", "n": 1,'
[ "$(grep -c "$line" "$dir/beside.json")" -eq 1 ] ||
    fail "$title: no reference in the JSON lines"
run 0 bench --targets "$dir/beside.json"
grep -Eq "$met" "$out" || fail "$title: no target"
grep -v '"shared/alternate-72", "subject": "boost' "$dir/beside.json" >"$dir/apart.json"
echo '{"suite": "switch", "case": "switch/hot", "subject": "boost-fcontext", "n": 1, "bytes": 0, "ns_median": 15,' \
    '"ns_min": 15, "rss_bytes": 0, "unit": "ns per round trip"}' >>"$dir/apart.json"
run 0 bench --targets "$dir/apart.json"
grep -Eq '^  shared/alternate-72 .* 0\.80 x +met$' "$out" || fail "$title: no target by a reference of its own case"
run 0 bench -s shared -b cede-shared --json "$dir/alone.json"
! grep -q boost "$dir/alone.json" || fail "$title: a reference that was not wanted"

# Ten million are made once; the reference runs before and after. A machine without the memory for them says so.
: >"$log"
run 0 bench -s scale -b cede-shared -b boost-fcontext
if ! grep -q 'not run: needs about' "$out"; then
    tr '\n' ' ' <"$log" >"$dir/order"
    [ "$(cat "$dir/order")" = "shared scale/order fcontext shared scale/order fcontext " ] ||
        fail "$title: no reference before and after: $(cat "$dir/order")"
    grep -Eq '^  scale/order-10000000 +cede-shared +<= 1\.40 x boost-fcontext switch/hot +1\.20 x +met$' "$out" ||
        fail "$title: no target"
fi

# A subject may be compared with itself in another case.
fake_of task/many cede-shared 'ns=12; [ "$2" -lt 10000000 ] || ns=15' "$print"
run 0 bench -s task -b cede-shared
if ! grep -q 'not run: needs about' "$out"; then
    grep -Eq '^  cede-shared task/many-1000000 +12\.00 +12\.00 +0\.0 % +1\.00$' "$out" ||
        fail "$title: no row of the reference"
    grep -Eq '^  task/many-10000000 +cede-shared +<= 1\.50 x cede-shared task/many-1000000 +1\.25 x +met$' "$out" ||
        fail "$title: no target"
fi

# --- A limited time: what takes too long does not take it from the others ---------------------------------------------

fake boost-fcontext 'ns=10' "$print"
fake_of "create/cycle shared/alternate" cede-shared '[ "$1" != create/cycle ] || exec sleep 1000' \
    '[ "$3" != 152 ] || { echo ns 7; printf "ns 1"; exec sleep 1000; }' 'ns=12' "$print"
for limit in --quick "--limit 20"; do
    # shellcheck disable=SC2086 # it is to be split
    run 0 bench $limit -b cede-shared -b boost-fcontext -s switch -s create -s shared
    grep -Eq '^  cede-shared +not run to the end: its share of the time was over$' "$out" || fail "$title: it ran on"
    [ "$(grep -Ec '^  cede-shared +12\.00 ' "$out")" -ge 2 ] || fail "$title: the others did not run"
    grep -Eq '^  cede-shared +7\.00 +7\.00 ' "$out" || fail "$title: a repetition was lost"
    [ "$limit" = --quick ] && says "$out" "6 repetitions of 20 ms"
done
CEDE_BENCH_DIR=$real
fakes=$real

# --- The processor ----------------------------------------------------------------------------------------------------

fake cede-inline 'echo "ran on $(sed -n "s/^Cpus_allowed_list:[^0-9]*//p" /proc/self/status)" >>"$0.log"; ns=2' "$print"
# on NUMBER WHY: the last run says that it has taken this processor, and did take it.
on()
{
    grep -Eqx "on processor $1, $2" "$out" || fail "$title: not on processor $1, $2"
    grep -qx "ran on $1" "$fakes/bench-cede-inline.log" || fail "$title: it did not run on processor $1"
    ! grep -vqx "ran on $1" "$fakes/bench-cede-inline.log" || fail "$title: it ran on others than processor $1"
    rm -f "$fakes/bench-cede-inline.log"
}
allowed=$(sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status)
one=${allowed%%[-,]*}
run 0 bench -s switch -b cede-inline --processor "$one"
on "$one" "as asked for"
run 0 bench -s switch -b cede-inline --cpu "$one"
on "$one" "as asked for"
if [ "$allowed" != "$one" ]; then
    run 0 bench -s switch -b cede-inline
    on "$(sed -n 's/^on processor \([0-9]*\),.*/\1/p' "$out")" \
        'the quietest of [0-9]+: a loop takes [0-9.]+ ms and varies by [0-9]+ %'
fi
if command -v taskset >/dev/null; then
    title="a process with one processor"
    taskset -c "$one" "$CEDE" bench -s switch -b cede-inline >"$out" 2>"$err" || fail "$title: it failed"
    on "$one" "the only one"
fi

# --- A busy machine ---------------------------------------------------------------------------------------------------

export CEDE_BENCH_LOADAVG="$dir/loadavg"
echo "100000.25 3.00 2.00 1/100 1234" >"$CEDE_BENCH_LOADAVG"
run 0 bench -s switch -b cede-inline --report "$dir/busy"
line='^the machine is busy, figures may be off: load average 100000\.2 of [0-9]+ processors$'
[ "$(grep -Ec "$line" "$out")" -eq 1 ] ||
    fail "$title: no warning"
says "$dir/busy/report.html" "the machine is busy, figures may be off: load average 100000.2"
for load in "0.00 3.00 2.00 1/100 1234" "" "x"; do
    echo "$load" >"$CEDE_BENCH_LOADAVG"
    run 0 bench -s switch -b cede-inline
    ! grep -q "load average" "$out" || fail "$title: a warning of no load"
done
unset CEDE_BENCH_LOADAVG
fake cede-inline "$thrice" 'printf "ns 2\nns 4\nns 3\n"'

# --- Reports ---------------------------------------------------------------------------------------------------------

report=$dir/report
title="the files of --report"
for name in report.html results.csv raw.csv; do
    [ -s "$report/$name" ] || fail "$title: no $name"
done
[ "$(grep -c '^switch,switch/hot,cede-inline,' "$report/raw.csv")" -eq 15 ] || fail "$title: not a line a repetition"
for text in "fake 1" "switch/hot" "Linux" "commit" "<td class=ours>cede-inline</td>"; do
    says "$report/report.html" "$text"
done
if command -v gnuplot >/dev/null; then
    says "$report/report.html" "<svg"
    ! grep -q '<?xml' "$report/report.html" || fail "$title: the picture is no part of the page"
fi
# Without gnuplot it is said what to install, and the rest is there.
mkdir "$dir/path"
PATH="$dir/path" "$CEDE" bench -s switch -b cede-inline --report "$dir/plain" >"$out" 2>"$err"
[ $? -eq 0 ] || fail "no report without gnuplot"
says "$err" "install the package gnuplot-nox"
says "$dir/plain/report.html" "cede-inline"

# --- Targets of a file ------------------------------------------------------------------------------------------------

run 0 bench --targets "$dir/one.json"
says "$out" "not measured"
says "$out" "0 of "
echo '{"suite": "switch", "case": "switch/hot"}' >"$dir/bad.json"
run 2 bench --targets "$dir/bad.json"
says "$err" "bad.json:1: "
run 2 bench --targets "$dir/there is no such file"
says "$err" "No such file or directory"

# --- What is refused --------------------------------------------------------------------------------------------------

for arguments in "--suite none" "--subject none" "--processor 9999" "--processor x" "--repetitions 4" "--repetitions 1e9" \
    "--time 0" "--time x" "--limit 0" "--limit x" "--cpu 9999" "--no-such-option" "something"; do
    # shellcheck disable=SC2086 # it is to be split
    run 2 bench $arguments
    says "$err" "cede bench: "
    quiet "$out"
done
run 2 bench --suite none
says "$err" "--list names them"
run 2 bench -s switch --json "$dir/no/such/folder.json"
says "$err" "No such file or directory"
run 2 bench -s switch --report "$dir/no/such/folder"
says "$err" "No such file or directory"
[ ! -w /dev/full ] || { run 2 bench -s switch -b cede-inline --json /dev/full; says "$err" "No space left on device"; }
CEDE_BENCH_DIR=$dir/path
run 2 bench
says "$err" "holds no program"
unset CEDE_BENCH_DIR
mkdir "$dir/alone"
cp "$CEDE" "$dir/alone/cede"
title="a command without programs"
"$dir/alone/cede" bench >"$out" 2>"$err"
[ $? -eq 2 ] || fail "$title: not refused"
says "$err" 'run `make bench`'

run 0 bench --help
for option in --quick --suite --subject --list --json --report --targets --processor --repetitions --time --limit \
    --no-progress CEDE_BENCH_DIR "Exit status"; do
    says "$out" "$option"
done

# --- On a terminal: the table is written again, and no line wraps -----------------------------------------------------

on_terminal()
{
    CEDE_BENCH_DIR=$fakes TERM=xterm script -qec "stty cols $1 rows $2; '$CEDE' bench -s switch -b cede-inline -b pcl" \
        /dev/null </dev/null >"$out" 2>"$err"
}
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    for columns in 30 80; do
        title="a terminal of $columns columns"
        on_terminal $columns 40
        says "$out" "$(printf '\033[')"
        says "$out" "[#"
        # Lines that are written over are cut; those before them, and of the last table, are not.
        tr '\r' '\n' <"$out" | awk -v columns="$columns" -v escape="$(printf '\033')" '
            index($0, escape "[") > 0 && /F/ { over = NR; if (!first) first = NR }
            { gsub(escape "\\[[0-9]*[FJ]", ""); wide[NR] = length($0) }
            END { for (i = first; i < over; i++) if (wide[i] >= columns) exit 1; exit over == 0 }
        ' || fail "$title: nothing was written over, or a line that may wrap"
    done
fi

[ $failed -eq 0 ] && echo "ok"
exit $failed
