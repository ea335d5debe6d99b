/* SPDX-License-Identifier: MIT */

// bench/rivals/goroutines.go - goroutines on one processor. The protocol of bench/subject.h in one file of Go.
//
// switch/hot is two goroutines that give way to each other; a channel would do the same in more time. In many/order and
// scale/order n goroutines stand in the scheduler's queue, and all of them have run once when the turn of the main one
// comes again. The garbage collector is turned off there, which would otherwise visit them all, and where there are
// timers.
//
// Of task/... and channel/... the main goroutine does some by itself, task/spawn-join and task/mutex, and in task/many
// it is one more among very many. In the others it waits at a channel.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// What a goroutine takes at least: its stack and what describes it.
const leastBytes = 2750

type benchCase struct {
	name, unit string
	open       func(n, bytes int) bool
	run        func(rounds int) time.Duration
	each       bool // n operations in a round
}

var cases = []benchCase{
	{"switch/hot", "round trip", openPair, runHot, false},
	{"create/cycle", "cycle", openNothing, runCycle, false},
	{"many/order", "round trip", openCrowd, runOrder, true},
	{"scale/order", "round trip", openCrowd, runOrder, true},
	{"task/spawn-join", "spawn and join", openNothing, runCycle, false},
	{"task/yield", "yield", openNothing, runYield, false},
	{"task/mutex", "lock and unlock", openNothing, runMutex, false},
	{"task/many", "yield", openCrowd, runOrder, true},
	{"task/sleeping", "task put to sleep", openSleeping, runSleeping, true},
	{"channel/ping-pong", "round trip", openNothing, runPingPong, false},
	{"channel/buffered", "value", openNothing, runBuffered, false},
	{"timer/cancel", "set and cancel", openPending, runCancel, false},
	{"timer/fire", "timer set and fired", openFire, runFire, true},
}

// The processor time of this process: see bench_now in bench/subject.h.
func processorTime() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil, "getrusage failed")
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func check(ok bool, message string) {
	if !ok {
		fmt.Fprintln(os.Stderr, "bench: "+message)
		os.Exit(2)
	}
}

// --- Two that give way to each other --------------------------------------------------------------------------------

var message int // to the one that runs next
var used int

func echo() {
	for {
		used = message
		message = used
		runtime.Gosched()
	}
}

func openPair(int, int) bool {
	go echo()
	runtime.Gosched()
	return true
}

func runHot(rounds int) time.Duration {
	value := 1
	start := processorTime()
	for i := 0; i < rounds; i++ {
		message = value
		runtime.Gosched()
		value = message
	}
	took := processorTime() - start
	check(value == 1, "a value was lost")
	return took
}

// --- Beginnings and ends --------------------------------------------------------------------------------------------

func openNothing(int, int) bool { return true }

// Waiting at a channel is the quickest way to wait.
func runCycle(rounds int) time.Duration {
	ended := make(chan int)
	value := 1
	finish := func(value int) { ended <- value }
	start := processorTime()
	for i := 0; i < rounds; i++ {
		go finish(value)
		value = <-ended
	}
	took := processorTime() - start
	check(value == 1, "a value was lost")
	return took
}

// --- Very many ------------------------------------------------------------------------------------------------------

// Waits in turn with about so many bytes of stack below.
//
//go:noinline
func wait(bytes int) byte {
	var frame [256]byte
	if bytes > len(frame) {
		frame[bytes%len(frame)] = wait(bytes - len(frame))
		return frame[0]
	}
	waitForever()
	return 0
}

func waitForever() {
	for {
		runtime.Gosched()
	}
}

// All of them wait at a gate until the last one is there: the main goroutine is interrupted when it has run for a
// while, and its turn would come again only after that of all those that are ready. What a goroutine waits with is
// about a hundred bytes, which the runtime keeps.
func openCrowd(n, bytes int) bool {
	if available := availableMemory(); available != 0 && n > available/(leastBytes+2*bytes) {
		return false // stacks have sizes that are powers of two
	}
	debug.SetGCPercent(-1)
	gate := make(chan int)
	for i := 0; i < n; i++ {
		go func() {
			<-gate
			if bytes > 0 {
				wait(bytes)
			}
			waitForever()
		}()
	}
	close(gate)
	runtime.Gosched()
	return true
}

func runOrder(rounds int) time.Duration {
	start := processorTime()
	for i := 0; i < rounds; i++ {
		runtime.Gosched()
	}
	return processorTime() - start
}

// --- Tasks ----------------------------------------------------------------------------------------------------------

// Two that give way to each other, half of the times each.
func runYield(rounds int) time.Duration {
	ended := make(chan bool)
	yieldOften := func(rounds int) {
		for ; rounds > 0; rounds-- {
			runtime.Gosched()
		}
		ended <- true
	}
	start := processorTime()
	go yieldOften(rounds / 2)
	go yieldOften(rounds - rounds/2)
	<-ended
	<-ended
	return processorTime() - start
}

var mutex sync.Mutex

func runMutex(rounds int) time.Duration {
	start := processorTime()
	for i := 0; i < rounds; i++ {
		mutex.Lock()
		used = i
		mutex.Unlock()
	}
	return processorTime() - start
}

// Nothing can wake a goroutine that sleeps, so they are made once, in parts: see struct bench_parts in bench/subject.h.
const mostParts = 16

var parts []time.Duration
var nextPart int
var asleep int64

func sleepLong() {
	atomic.AddInt64(&asleep, 1)
	time.Sleep(24 * time.Hour)
}

func openSleeping(n, bytes int) bool {
	if available := availableMemory(); available != 0 && n > available/leastBytes {
		return false
	}
	debug.SetGCPercent(-1)
	count := mostParts
	if n < count {
		count = n
	}
	for made, part := 0, 1; part <= count; part++ {
		before := made
		start := processorTime()
		for ; made < n*part/count; made++ {
			go sleepLong()
		}
		for atomic.LoadInt64(&asleep) < int64(made) {
			runtime.Gosched()
		}
		took := processorTime() - start
		parts = append(parts, took*time.Duration(n)/time.Duration(made-before))
	}
	return true
}

func runSleeping(rounds int) time.Duration {
	took := parts[nextPart%len(parts)] * time.Duration(rounds)
	nextPart++
	return took
}

// --- Channels -------------------------------------------------------------------------------------------------------

const bufferSize = 128

// How long two goroutines take, which say at their end whether all values were right.
func trade(first, second func(ended chan<- bool)) time.Duration {
	ended := make(chan bool)
	start := processorTime()
	go first(ended)
	go second(ended)
	one, other := <-ended, <-ended
	took := processorTime() - start
	check(one && other, "a value was lost")
	return took
}

func runPingPong(rounds int) time.Duration {
	there, back := make(chan uint64), make(chan uint64)
	serve := func(ended chan<- bool) {
		right := true
		for i := uint64(0); i < uint64(rounds); i++ {
			there <- i
			right = <-back == i && right
		}
		ended <- right
	}
	giveBack := func(ended chan<- bool) {
		for i := 0; i < rounds; i++ {
			back <- <-there
		}
		ended <- true
	}
	return trade(serve, giveBack)
}

func runBuffered(rounds int) time.Duration {
	values := make(chan uint64, bufferSize)
	produce := func(ended chan<- bool) {
		for i := uint64(0); i < uint64(rounds); i++ {
			values <- i
		}
		ended <- true
	}
	consume := func(ended chan<- bool) {
		right := true
		for i := uint64(0); i < uint64(rounds); i++ {
			right = <-values == i && right
		}
		ended <- right
	}
	return trade(produce, consume)
}

// --- Timers ---------------------------------------------------------------------------------------------------------

var randomState uint64 = 88172645463325252

// Less than the limit: Marsaglia's xorshift64.
func random(limit time.Duration) time.Duration {
	randomState ^= randomState << 13
	randomState ^= randomState >> 7
	randomState ^= randomState << 17
	return time.Duration(randomState % uint64(limit))
}

func doNothing() {}

func setFarTimer() *time.Timer {
	return time.AfterFunc(time.Hour+random(time.Hour), doNothing)
}

func openPending(n, bytes int) bool {
	debug.SetGCPercent(-1)
	for i := 0; i < n; i++ {
		setFarTimer()
	}
	return true
}

func runCancel(rounds int) time.Duration {
	start := processorTime()
	for i := 0; i < rounds; i++ {
		setFarTimer().Stop()
	}
	return processorTime() - start
}

// The time is real here, so they are set to a time when all of them are set, about, and to 100 ns for each after that:
// sooner than they can be handled. Until then the whole thread sleeps, without the scheduler knowing it; that is no
// processor time, and the scheduler would wait for each of the first ones with calls of the kernel.
const setTime, fireTime = 500, 100 // ns of each timer

var timerCount int
var unfired int64
var allFired = make(chan bool, 1)

// Each timer that fires begins a goroutine, and nearly all of them wait for their turn before the first one has it.
func openFire(n, bytes int) bool {
	if available := availableMemory(); available != 0 && n > available/leastBytes {
		return false
	}
	debug.SetGCPercent(-1)
	timerCount = n
	return true
}

func fire() {
	if atomic.AddInt64(&unfired, -1) == 0 {
		allFired <- true
	}
}

func setTimers(first time.Time, spread time.Duration) {
	var left time.Duration
	for i := 0; i < timerCount; i++ {
		if i%64 == 0 { // the clock is not to be asked for each
			left = time.Until(first)
		}
		time.AfterFunc(left+random(spread), fire)
	}
}

// Interrupted from time to time by the scheduler's signals.
func sleepThread(until time.Time) {
	for left := time.Until(until); left > 0; left = time.Until(until) {
		span := syscall.NsecToTimespec(left.Nanoseconds())
		syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&span)), 0, 0)
	}
}

func runFire(rounds int) time.Duration {
	spread := time.Duration(timerCount) * fireTime
	start := processorTime()
	for i := 0; i < rounds; i++ {
		unfired = int64(timerCount)
		first := time.Now().Add(time.Duration(timerCount) * setTime)
		setTimers(first, spread)
		sleepThread(first.Add(spread))
		<-allFired
	}
	return processorTime() - start
}

// --- The machine's memory -------------------------------------------------------------------------------------------

func residentBytes() int {
	var size, resident int
	file, err := os.Open("/proc/self/statm")
	if err != nil {
		return 0
	}
	defer file.Close()
	fmt.Fscan(file, &size, &resident)
	return resident * os.Getpagesize()
}

// What this process could get, in bytes; 0 if the machine does not say.
func availableMemory() int {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer file.Close()
	var name, unit string
	var kibibytes int
	for {
		if _, err := fmt.Fscan(file, &name, &kibibytes, &unit); err != nil || unit != "kB" {
			return 0
		}
		if name == "MemAvailable:" {
			return kibibytes * 1024
		}
	}
}

// --- The protocol ---------------------------------------------------------------------------------------------------

// Rounds that take about so long; warms everything up on the way.
func calibrate(c benchCase, wanted time.Duration) int {
	for rounds := 1; ; rounds *= 2 {
		if took := c.run(rounds); took >= wanted/4 {
			if fit := int(float64(rounds) * float64(wanted) / float64(took)); fit > 1 {
				return fit
			}
			return 1
		}
	}
}

func measure(c benchCase, n, bytes, repetitions int, wanted time.Duration) {
	before := residentBytes()
	check(c.open(n, bytes), "the case could not be set up")
	operations := 1
	if c.each {
		operations = n
	}
	c.run(1)
	fmt.Printf("rss %d\nbytes %d\n", residentBytes()-before, bytes)
	rounds := calibrate(c, wanted)
	for i := 0; i < repetitions; i++ {
		fmt.Printf("ns %.4f\n", float64(c.run(rounds).Nanoseconds())/(float64(rounds)*float64(operations)))
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err == nil && value >= 0, "not a number: "+text)
	return value
}

func main() {
	runtime.GOMAXPROCS(1)
	switch arguments := os.Args[1:]; {
	case len(arguments) == 1 && arguments[0] == "--version":
		fmt.Println(runtime.Version())
	case len(arguments) == 1 && arguments[0] == "--list":
		for _, c := range cases {
			fmt.Printf("%s\t%s\n", c.name, c.unit)
		}
	case len(arguments) == 5:
		n, repetitions := number(arguments[1]), number(arguments[3])
		check(n > 0 && repetitions > 0, "there must be at least one coroutine and one repetition")
		for _, c := range cases {
			if c.name == arguments[0] {
				measure(c, n, number(arguments[2]), repetitions, time.Duration(number(arguments[4]))*time.Millisecond)
				return
			}
		}
		check(false, "this program does not know the case")
	default:
		check(false, "usage: PROGRAM --list | --version | CASE N BYTES REPETITIONS MS")
	}
}
