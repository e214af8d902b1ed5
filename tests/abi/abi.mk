# SPDX-License-Identifier: BSD-3-Clause
# make check-abi-stable   the libraries beside the recorded ABI, and hosts of other ages and languages
# make record-abi         records it anew: on purpose only, see CONTRIBUTING.md
.PHONY: check-abi-stable record-abi

check-abi-stable: all
	$(PYTEST) tests/abi

record-abi: $(B)/libmxclash.so $(B)/libmxclash-prover.so
	for name in libmxclash libmxclash-prover; do \
	    tests/abi/dump.sh $(B)/$$name.so > tests/abi/$$name.$(shell uname -m).abi || exit 1; done
	$(PYTHON) -B tests/abi/values.py > tests/abi/values.txt
