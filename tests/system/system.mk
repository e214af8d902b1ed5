# SPDX-License-Identifier: BSD-3-Clause
# Programs of the system tests, and goals that take longer than `make check` may.
# make check-faults    every test of faults, and the figures of who watched
# make check-malloc    each allocation of the module fails once
# make check-book      the book is killed 20 times under load, and holds 100,000 conflicts
# make check-reloads   RELOADS=500 reloads under load, with 1 and with 4 threads

RELOADS ?= 500
PRELOADED := $(B)/tests/failing_malloc.so $(B)/tests/moved_clock.so
# all that the tests of faults need
FAULTS := all $(B)/tests/authority $(PRELOADED)

$(PRELOADED): $(B)/tests/%.so: tests/system/%.c | deps-check
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -fvisibility=default $(LINK) -shared -o $@ $< -ldl,TEST)

.PHONY: system-programs
system-programs: $(PRELOADED)

check-clang: $(patsubst %.c,$(B)/clang/%.o,$(wildcard tests/system/*.c))

.PHONY: check-faults check-malloc check-reloads check-book
check-faults: $(FAULTS)
	@rm -f $(B)/tests/watched
	$(PYTEST) --durations=10 $(wildcard tests/system/test_fault_*.py)
	@$(PYTHON) -B tests/system/watcher.py

check-malloc: $(FAULTS)
	MXCLASH_EACH_MALLOC=yes $(PYTEST) -s --durations=5 tests/system/test_fault_malloc.py

check-reloads: $(FAULTS)
	MXCLASH_RELOADS=$(RELOADS) $(PYTEST) -s --durations=5 tests/system/test_fault_reload.py

check-book: all
	MXCLASH_KILLS=20 MXCLASH_CONFLICTS=100000 $(PYTEST) -s --durations=5 tests/system/test_book.py
