# SPDX-License-Identifier: BSD-3-Clause
# make bench      what the detector costs, side by side, as tables and as JSON under build/bench/
# make bench-docs puts what was measured last into docs/performance.md
#
# BENCH=core,trace    only these parts: core, threads, growth, names, trace, load, dnstap
# BENCH_MISSES=N      questions that miss the cache in a trace, 20000
# BENCH_NAMES=N       most distinct names, a power of ten from 10000, 100000000
# BENCH_ROUNDS=N      rounds of dnsperf, 5

.PHONY: bench bench-docs deps-bench
BENCH ?= core,threads,growth,names,trace,load,dnstap
BENCH_MISSES ?= 20000
BENCH_NAMES ?= 100000000
BENCH_ROUNDS ?= 5
BENCH_DIR := $(B)/bench
# a variable: commas of its own would end an argument of $(call)
BENCH_RPATH := -Wl,-rpath,'$$ORIGIN/..'

ifdef NO_DEPS
deps-bench: ;
else
deps-bench:
	@.ci/install.sh bench
endif

CORE_BENCH := tests/bench/core_bench.c tests/bench/samples.c tests/bench/meter.c
$(BENCH_DIR)/core_bench: $(CORE_BENCH) tests/bench/samples.h tests/bench/meter.h $(B)/libmxclash.so
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $(CORE_BENCH) $(B)/libmxclash.so \
	    $(BENCH_RPATH),LINK)

GROWTH_BENCH := tests/bench/growth_bench.c tests/bench/samples.c tests/bench/meter.c
$(BENCH_DIR)/growth_bench: $(GROWTH_BENCH) tests/bench/samples.h tests/bench/meter.h $(B)/libmxclash.so
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $(GROWTH_BENCH) $(B)/libmxclash.so \
	    $(BENCH_RPATH),LINK)

$(BENCH_DIR)/fixed_random.so: tests/bench/fixed_random.c
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -fvisibility=default -shared -o $@ $<,LINK)

$(BENCH_DIR)/empty.so: $(HOST)/empty.so FORCE
	@mkdir -p $(@D)
	@cmp -s $< $@ || cp -f $< $@

bench: deps-bench
	@$(MAKE) -s NO_DEPS=1 all $(B)/tests/authority $(BENCH_DIR)/core_bench \
	    $(BENCH_DIR)/growth_bench $(BENCH_DIR)/fixed_random.so $(BENCH_DIR)/empty.so
	@tests/host/stock-unbound.sh $(BENCH_DIR)/stock
	$(PYTHON) -B tests/bench/bench.py --parts $(BENCH) --misses $(BENCH_MISSES) \
	    --names $(BENCH_NAMES) --rounds $(BENCH_ROUNDS)

bench-docs:
	@$(PYTHON) -B tests/bench/publish.py
