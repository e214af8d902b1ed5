# SPDX-License-Identifier: BSD-3-Clause
# make check-fleet   four resolvers, rsyslog, PostgreSQL, Prometheus, VictoriaMetrics on loopback
# make bench-fleet   EVENTS=20000 lines through all of it, with kills and a rotation on the way: what
#                    is lost, how fast it is, how large

EVENTS ?= 20000

.PHONY: check-fleet bench-fleet
check-fleet: all $(B)/tests/authority
	$(PYTEST) -rs -n 4 --dist loadfile tests/fleet
bench-fleet: | deps-check
	$(PYTHON) -B tests/fleet/bench.py --events $(EVENTS)
