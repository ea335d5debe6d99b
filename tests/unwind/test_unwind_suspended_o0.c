/* SPDX-License-Identifier: MIT */
// NOT: CEDE_UCONTEXT
// CFLAGS: -O0
/* The same where the functions that wait are compiled otherwise. */
#include "test_unwind_suspended.c"
