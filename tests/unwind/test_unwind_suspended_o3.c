/* SPDX-License-Identifier: MIT */
// NOT: CEDE_UCONTEXT
// CFLAGS: -O3 -fomit-frame-pointer
/* The same where the functions that wait are compiled otherwise. */
#include "test_unwind_suspended.c"
