# SPDX-License-Identifier: BSD-3-Clause
# The page in a real browser: make check-page. Chromium is Debian's; what drives it comes from npm, held
# to the hashes in package-lock.json. SCREENSHOTS=DIR keeps pictures of what was tried.
BROWSER := $(firstword $(shell command -v chromium chromium-browser google-chrome))

.PHONY: check-page
$(B)/tests/page/fetched: tests/page/package.json tests/page/package-lock.json | deps-check
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund > npm.log 2>&1 || { cat npm.log; exit 1; }
	@touch $@

ifeq ($(BROWSER),)
check-page:
	@echo "check-page: no chromium here, left out"
else
check-page: $(B)/mxclash $(B)/tests/page/fetched
	@cp tests/page/*.mjs $(B)/tests/page
	BROWSER=$(BROWSER) PYTHON=$(PYTHON) node --test --test-reporter=spec $(B)/tests/page/page.test.mjs
endif
