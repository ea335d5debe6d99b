/* SPDX-License-Identifier: MIT */

// bench/rivals/goroutines.go - goroutines on one processor. The protocol of bench/subject.h in one file of Go.
//
// switch/hot is two goroutines that give way to each other; a channel would do the same in more time. In many/order and
// scale/order n goroutines stand in the scheduler's queue, and all of them have run once when the turn of the main one
// comes again. The garbage collector is turned off there, which would otherwise visit them all.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
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
