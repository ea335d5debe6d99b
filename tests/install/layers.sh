#!/bin/sh
# SPDX-License-Identifier: MIT
# The layers include only what lies below them, and the script that says so can find a violation.
set -eu
"$SOURCE_DIR/scripts/check-layers" --self-test
"$SOURCE_DIR/scripts/check-layers" "$SOURCE_DIR"
