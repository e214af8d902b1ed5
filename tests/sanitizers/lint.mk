# SPDX-License-Identifier: BSD-3-Clause
# make lint   static analysis by three tools; clang-tidy's checks are in .clang-tidy. Some minutes.

.PHONY: lint lint-cppcheck lint-tidy lint-gcc

LINT_FILES := $(wildcard module/*/*.c module/*/*/*.c)
LINT_FLAGS = $(ALL_CFLAGS) -I$(HOST) -isystem $(UNBOUND_TREE) -DSRCDIR=. -DCONFIG_FOLDER='""'

lint: lint-cppcheck lint-tidy lint-gcc

# Unbound's headers are left out: cppcheck then takes its types and functions as they come. A struct
# of which only those members are set that are read (inspect.c) it takes for unset.
lint-cppcheck: | deps-check
	cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --suppress=ctuuninitvar:module/core/dns/wire.c --error-exitcode=1 -Iinclude -Imodule $(sort $(dir $(LINT_FILES)))

# a file at a time: clang-tidy 14 carries what it knows of va_start() from one file to the next
lint-tidy: $(LINT_FILES:%.c=$(B)/lint/%.tidy)
$(B)/lint/%.tidy: %.c .clang-tidy $(HOST)/host_build.h | deps-check
	@mkdir -p $(@D)
	$(call say,clang-tidy --quiet $< -- $(filter-out -D_FORTIFY_SOURCE=%,$(LINT_FLAGS)) 2>$@.log || { cat $@.log; false; },TIDY)
	@touch $@

# a copy that is stored through a key's offset in the struct is out of its sight; LeakSanitizer sees it
$(B)/lint/module/runtime/config.gcc: ANALYZER_FLAGS := -Wno-analyzer-malloc-leak

# which compiler CC is does not matter: the analyzer is gcc's
lint-gcc: $(LINT_FILES:%.c=$(B)/lint/%.gcc)
$(B)/lint/%.gcc: %.c $(HOST)/host_build.h | deps-check
	@mkdir -p $(@D)
	$(call say,gcc $(LINT_FLAGS) -fanalyzer $(ANALYZER_FLAGS) -c -o /dev/null $<,GCC)
	@touch $@
