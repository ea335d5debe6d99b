/* SPDX-License-Identifier: MIT */
/*
 * command.h - the commands that `cede` knows. Each gets its own arguments, argv[0] being "cede NAME", and returns the
 * exit status of the program.
 */
#ifndef CEDE_TOOLS_COMMAND_H
#define CEDE_TOOLS_COMMAND_H

int command_bench(int argc, char **argv);
int command_demo(int argc, char **argv);
int command_version(int argc, char **argv);
int command_help(int argc, char **argv);

#endif
