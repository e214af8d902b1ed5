# SPDX-License-Identifier: BSD-3-Clause
# make dist             the source tarball of a release, under build/dist
# make distcheck        the same twice, unpacked, built, tested, installed, uninstalled
# make deb              Debian packages, with the Unbound that the module is for, under build/deb
# make check-packages   these packages in a Debian of their own: from installation to purge
# The last two take minutes, and obey UNBOUND_VERSION=. See docs/packaging.md.

.PHONY: dist distcheck deb deb-unbound check-packages
DEB := $(B)/deb
# a build of its own for each version, kept
DEB_UNBOUND := $(DEB)/unbound-$(UNBOUND_VERSION)

dist:
	@packaging/dist.sh $(B)/dist

distcheck: $(B)/unbound | deps-check
	packaging/distcheck.sh $(B)/distcheck $(abspath $(UNBOUND_TREE)) $(abspath $(UNBOUND_BINARY))

ifdef NO_DEPS
deps-packages: ;
else
deps-packages:
	@.ci/install.sh packages
endif

deb-unbound: deps-packages
	@packaging/unbound-deb.sh $(DEB_UNBOUND) $(UNBOUND_VERSION)

deb: deb-unbound $(FETCHED)
	@UPLOT=$(or $(realpath $(UPLOT)),none) packaging/deb.sh $(DEB)/mxclash $(DEB_UNBOUND)/headers
	@mkdir -p $(DEB)/packages
	@rm -f $(DEB)/packages/*.deb
	@cp $(DEB_UNBOUND)/unbound_*.deb $(DEB)/mxclash/*.deb $(DEB)/packages
	@ls $(DEB)/packages/*.deb

check-packages: deb $(B)/tests/authority
	packaging/lintian.sh $(DEB_UNBOUND) $(DEB)/mxclash
	$(PYTEST) -s --durations=10 tests/packages
