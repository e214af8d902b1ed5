# SPDX-License-Identifier: BSD-3-Clause
# make check-attack COUNT=1000000   the flood of tests/system/test_attack_flood.py with so many domains

.PHONY: check-attack
check-attack: all $(B)/tests/authority
	MXCLASH_FLOOD=$(or $(COUNT),1000000) $(PYTEST) -s tests/system/test_attack_flood.py

# the dearest answers there are, see docs/security.md: what each costs us, and Unbound itself
HOSTILE := $(B)/tests/hostile_answers
$(HOSTILE): tests/bench/hostile_answers.c $(B)/libcore.a | deps-check
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -Itests/unit -MMD -MP $(LINK) -o $@ $(filter-out %.h,$^) $(CORE_LIBS) -lcmocka,TEST)

.PHONY: system-programs
system-programs: $(HOSTILE)

check-clang: $(B)/clang/tests/bench/hostile_answers.o
$(B)/clang/tests/bench/hostile_answers.o: ALL_CFLAGS += -Itests/unit

.PHONY: bench-hostile
bench-hostile: all $(HOSTILE) $(B)/tests/authority
	$(PYTHON) -B tests/bench/hostile_cost.py
	$(PYTHON) -B tests/bench/flood_cost.py
