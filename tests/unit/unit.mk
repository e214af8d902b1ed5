# SPDX-License-Identifier: BSD-3-Clause
# Unit tests that take more than the archives that all have.

$(B)/tests/unit/test_prover: $(B)/libinside.a
