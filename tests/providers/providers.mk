# SPDX-License-Identifier: BSD-3-Clause
# The built-in table of providers: how sure its values are, and the page that shows them.

.PHONY: check-providers

check-providers: all
	$(PYTEST) tests/providers

# beside the scenarios, which `make check` plays
check-replay: check-providers
