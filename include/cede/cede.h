/* SPDX-License-Identifier: MIT */
/*
 * cede/cede.h - all public headers of libcede.
 */
#ifndef CEDE_CEDE_H
#define CEDE_CEDE_H

#include <cede/version.h>
#include <cede/error.h>
#include <cede/context.h>
#include <cede/stack.h>
#include <cede/coro.h>
#include <cede/big_stack.h>
#include <cede/queue.h>
#include <cede/profile.h>
#include <cede/time.h>
#include <cede/task.h>
#include <cede/closure.h>
#include <cede/sched.h>
#include <cede/group.h>
#include <cede/timer.h>
#include <cede/rpc.h>
#include <cede/manager.h>
#include <cede/runtime.h>
#include <cede/dump.h>
#include <cede/sync.h>
#include <cede/channel.h>
#include <cede/future.h>
#include <cede/select.h>
#include <cede/generator.h>

#endif
