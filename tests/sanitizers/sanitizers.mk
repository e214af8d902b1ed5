# SPDX-License-Identifier: BSD-3-Clause
# make check-asan       the tests, all of it and Unbound too built with ASan, LSan and UBSan
# make check-tsan       the tests that threads matter to, all built with TSan
# make check-valgrind   the scenarios under memcheck
# make check-elf        what the linker was told: part of check
# Each has some minutes of work but for the last. See docs/building.md.

.PHONY: check-asan check-tsan check-valgrind check-elf

# no recovery: beside ASan gcc's UBSan writes to no file but to the process's own output, and the
# status is what tells
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
TSAN_FLAGS := -fsanitize=thread

# Unbound 1.17.1 reads the address of a server out of a stack frame that is gone, only for a text
# (qstate->reply in iterator/iterator.c: errinf_reply); our own frames are looked at.
ASAN_HOST_FLAGS := -fsanitize=address,undefined --param=asan-use-after-return=0

# make, with all that is built below a folder of its own: $(call sanitized,FOLDER,FLAGS,HOST_FLAGS) GOAL...
# HARDENING: what FORTIFY puts in the place of memcpy() and others, the sanitizers do not look into.
# nodelete: Unbound unloads us before it ends, and then no report could name a function of ours.
sanitized = $(MAKE) NO_DEPS=1 UNBOUND_SRC= B=$(B)/$(1) HARDENING= \
    HOST_CFLAGS='-O1 -fno-omit-frame-pointer $(3)' CFLAGS='-O1 -g -fno-omit-frame-pointer $(2)' \
    LDFLAGS='$(2) -Wl,-z,nodelete'

check-asan: SANITIZED = $(call sanitized,asan,$(ASAN_FLAGS),$(ASAN_HOST_FLAGS))
check-tsan: SANITIZED = $(call sanitized,tsan,$(TSAN_FLAGS),$(TSAN_FLAGS))
check-asan check-tsan: check-%: deps-check
	+$(SANITIZED) all $(B)/$*/tests/authority $(B)/$*/hosts/$(UNBOUND_VERSION)/wrong-build.so system-programs
	+tests/sanitizers/run.sh $* $(B)/$* $(SANITIZED) check-unit check-fuzz
	tests/sanitizers/run.sh $* $(B)/$* $(PYTEST) -p sanitizer_reports $(SANITIZED_TESTS)

# Unbound's replay tester ends by pthread_exit() and so waits for ever for TSan's own thread; there
# are no workers in it anyway.
check-asan: SANITIZED_TESTS := tests/replay/test_replay.py tests/system
check-tsan: SANITIZED_TESTS := tests/system

check-valgrind: deps-check
	$(MAKE) NO_DEPS=1 all
	$(MAKE) NO_DEPS=1 -j2 check-valgrind-1 check-valgrind-2
check-valgrind-%:
	@mkdir -p $(B)/valgrind-$*
	@ln -sfn $(abspath tests/sanitizers/testbound.sh) $(B)/valgrind-$*/testbound
	@ln -sfn $(abspath $(HOST)/mxclash.so) $(B)/valgrind-$*/mxclash.so
	MXCLASH_PART=$*/2 MXCLASH_TESTBOUND=$(abspath $(HOST)/testbound) \
	    tests/sanitizers/run.sh memcheck $(B)/valgrind-$* $(PYTEST) -p sanitizer_reports tests/replay/test_replay.py

check-elf: all
	tests/sanitizers/elf.sh $(B)/mxclash.so $(B)/libmxclash.so $(B)/libmxclash-prover.so $(B)/mxclash $(B)/mxclashd
