# SPDX-License-Identifier: BSD-3-Clause
# make check-abi-stable   the library beside the recorded ABI, and hosts of other ages and languages
# make record-abi         records it anew: on purpose only, see CONTRIBUTING.md
.PHONY: check-abi-stable record-abi

check-abi-stable: all
	$(PYTEST) tests/abi

record-abi: $(B)/libmxclash.so
	tests/abi/dump.sh $< > tests/abi/libmxclash.$(shell uname -m).abi
	$(PYTHON) -B tests/abi/values.py > tests/abi/values.txt
