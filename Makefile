# SPDX-License-Identifier: MIT
# A thin door to CMake: see CMakePresets.json for the builds, and .ci/run for what is checked.

JOBS ?= 2
ARGS ?=
BUILD = build/default
FORMATTED = find $(wildcard include src tests tools examples bench) -name '*.[ch]' -o -name '*.cpp'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## a million suspended coroutines on real input; ARGS="--coroutines 100000 FILE" for others
	@scripts/setup demo
	@test -f $(BUILD)/build.ninja || cmake --preset default -DCEDE_BUILD_TESTS=OFF >/dev/null
	@cmake --build $(BUILD) -j $(JOBS) --target cede_tool -- --quiet
	@$(BUILD)/tools/cede demo $(ARGS)

bench: ## the library beside its rivals; ARGS="--quick --report DIR" for others
	@scripts/setup bench
	@cmake --preset bench >/dev/null
	@cmake --build build/bench -j $(JOBS) -- --quiet
	@build/bench/tools/cede bench $(ARGS)

test: ## build everything and run the whole suite
	@scripts/setup test
	@cmake --preset default -DCEDE_BUILD_TESTS=ON >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	@ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure --no-tests=error --output-junit junit.xml

check: ## what CI checks: the suite in every build, sanitizers, valgrind, AArch64, format, lint
	@.ci/run

format: ## format all sources in place
	@$(FORMATTED) | xargs clang-format -i

lint: format-check tidy ## check formatting, run clang-tidy, check the order of the layers
	@scripts/check-layers

format-check:
	@$(FORMATTED) | xargs clang-format --dry-run -Werror

tidy:
	@cmake --preset clang >/dev/null
	@ls src/*/*.c tools/*.c tools/*/*.c bench/*.c 2>/dev/null | xargs -P $(JOBS) -n 4 clang-tidy -p build/clang --quiet

install: ## build, and install into PREFIX (default /usr/local)
	@scripts/setup demo
	@test -f $(BUILD)/build.ninja || cmake --preset default -DCEDE_BUILD_TESTS=OFF >/dev/null
	@cmake --build $(BUILD) -j $(JOBS) --target cede_static cede_shared cede_tool
	@cmake --install $(BUILD) $(if $(PREFIX),--prefix "$(PREFIX)")
	@$(if $(PREFIX)$(DESTDIR),,echo 'Run ldconfig, so that programs find libcede.so.')

clean: ## remove everything that was built
	@rm -rf build

.PHONY: help demo bench test check format lint format-check tidy install clean
