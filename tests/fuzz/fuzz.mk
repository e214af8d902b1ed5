# SPDX-License-Identifier: BSD-3-Clause
# The fuzz targets, tests/fuzz/fuzz_TARGET.c:
#   make check-fuzz                     feeds each its corpus, tests/fuzz/corpus/TARGET
#   make fuzz TARGET=wire SECONDS=1800  looks for new inputs with libFuzzer, under build/fuzz/
#   make fuzz-all SECONDS=60            that for each target in turn

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIBS := $(COMMAND_LIBS)
# of the sidecar, what reads octets
FUZZ_DNSTAP := frames.o message.o take.o aliases.o

.PHONY: check-fuzz fuzz fuzz-all

# --- the corpora, with the compiler of everything else -------------------------------------------------
$(B)/tests/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay_main.c $(wildcard tests/fuzz/*.h) \
    $(ARCHIVES) | deps-check
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $(filter %.c %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS),FUZZ)
# the table as the command shows it
$(B)/tests/fuzz/replay_providers: $(B)/obj/module/cli/providers.o
$(B)/tests/fuzz/replay_zone: $(B)/obj/module/cli/zone_file.o $(B)/obj/module/cli/terminal.o

$(B)/tests/fuzz/replay_dnstap: ALL_CFLAGS += -isystem $(B)/tests/dnstap
$(B)/tests/fuzz/replay_dnstap: FUZZ_LIBS += -lfstrm -lprotobuf-c
$(B)/tests/fuzz/replay_dnstap: $(addprefix $(B)/obj/module/host/dnstap/,$(FUZZ_DNSTAP)) $(TAP_PROTO).o

check-fuzz: $(FUZZERS:%=$(B)/tests/fuzz/replay_%)
	@for name in $(FUZZERS); do \
	    printf '%-10s ' "$$name"; \
	    $(B)/tests/fuzz/replay_$$name tests/fuzz/corpus/$$name || exit 1; done

# --- libFuzzer: all of ours instrumented, libraries as they are ----------------------------------------
FUZZ := $(B)/fuzz
FUZZ_CFLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -pthread $(WARNINGS) \
    -fsanitize=address,undefined -fno-sanitize-recover=all \
    -Iinclude -Imodule -DMXCLASH_VERSION_TEXT='"$(VERSION)"'
fuzz_objects = $(patsubst $(B)/obj/%.o,$(FUZZ)/obj/%.o,$(1))

$(FUZZ)/obj/%.o: %.c | deps-check
	@mkdir -p $(@D)
	$(call say,$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<,CLANG)
# what a target compares need not lead libFuzzer, and would slow it
$(FUZZ)/obj/tests/fuzz/%.o: FUZZ_CFLAGS += -fno-sanitize-coverage=trace-cmp
$(FUZZ)/obj/providers_text.o: $(B)/providers_text.c
	@mkdir -p $(@D)
	$(call say,$(CLANG) $(FUZZ_CFLAGS) -c -o $@ $<,CLANG)
# an archive, so that a target may bring a file of the module itself
$(FUZZ)/libmodule.a: $(call fuzz_objects,$(CORE) $(ASK) $(OUTPUT) $(RUNTIME) $(BOOK))
	@rm -f $@
	$(call say,ar rcs $@ $^,AR)
$(FUZZ)/fuzz_%: $(FUZZ)/obj/tests/fuzz/fuzz_%.o $(FUZZ)/libmodule.a
	$(call say,$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS),FUZZ)
$(FUZZ)/obj/tests/fuzz/fuzz_dnstap.o: FUZZ_CFLAGS += -isystem $(B)/tests/dnstap
$(FUZZ)/obj/tests/fuzz/fuzz_dnstap.o: $(TAP_PROTO).h
$(FUZZ)/fuzz_dnstap: FUZZ_LIBS += -lfstrm -lprotobuf-c
$(FUZZ)/fuzz_dnstap: $(addprefix $(FUZZ)/obj/module/host/dnstap/,$(FUZZ_DNSTAP)) $(TAP_PROTO).o
$(FUZZ)/fuzz_providers: $(FUZZ)/obj/module/cli/providers.o
$(FUZZ)/fuzz_zone: $(FUZZ)/obj/module/cli/zone_file.o $(FUZZ)/obj/module/cli/terminal.o

# What is found and grows the coverage stays in corpus-TARGET; an input that fails becomes
# build/fuzz/TARGET-crash-... and is told in the log.
SECONDS ?= 60
# longest input in octets, where the usual 4096 are too many or too few
FUZZ_LEN_wire := 1200
FUZZ_LEN_event := 2000
FUZZ_LEN_http := 10000
FUZZ_LEN_logline := 8000
FUZZ_LEN_detector := 1000
FUZZ_LEN_dnstap := 1500
FUZZ_LEN := $(or $(FUZZ_LEN_$(TARGET)),4096)

fuzz: $(if $(TARGET),$(FUZZ)/fuzz_$(TARGET))
	@test -n "$(TARGET)" || { echo "usage: make fuzz TARGET=NAME SECONDS=N, NAME one of: $(FUZZERS)"; exit 2; }
	@mkdir -p $(FUZZ)/corpus-$(TARGET)
	@echo "fuzz $(TARGET): $(SECONDS) s, log in $(FUZZ)/$(TARGET).log"
	@$(FUZZ)/fuzz_$(TARGET) -max_total_time=$(SECONDS) -max_len=$(FUZZ_LEN) -rss_limit_mb=2048 \
	    -timeout=20 -print_final_stats=1 -artifact_prefix=$(FUZZ)/$(TARGET)- \
	    $(patsubst %,-dict=%,$(wildcard tests/fuzz/$(TARGET).dict)) \
	    $(FUZZ)/corpus-$(TARGET) tests/fuzz/corpus/$(TARGET) > $(FUZZ)/$(TARGET).log 2>&1 || \
	    { tail -n 40 $(FUZZ)/$(TARGET).log; exit 1; }
	@grep -E '^(Done|stat::)' $(FUZZ)/$(TARGET).log
	@grep -E '(DONE|pulse|NEW|REDUCE) +cov:' $(FUZZ)/$(TARGET).log | tail -n 1

fuzz-all:
	@for name in $(FUZZERS); do $(MAKE) fuzz TARGET=$$name SECONDS=$(SECONDS) || exit 1; done

-include $(shell find $(FUZZ)/obj -type f -name '*.d' 2>/dev/null)
