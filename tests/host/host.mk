# SPDX-License-Identifier: BSD-3-Clause
# make check-host   Unbound's own replays, with our module and with an empty one; minutes
.PHONY: check-host

$(HOST)/empty.so: tests/host/empty_module.c $(HOST)/host_build.h
	$(call say,$(CC) $(ALL_CFLAGS) -fvisibility=default -I$(HOST) -isystem $(UNBOUND_TREE) \
	    -DSRCDIR=. -shared -o $@ $<,LINK)

# our module, which says how many answers it has inspected
$(HOST)/watched.so: tests/host/watch.c $(ADAPTER) $(RUNTIME) $(OUTPUT) $(CORE) \
    module/host/unbound/exports.map
	$(call say,$(CC) $(ALL_CFLAGS) $(LINK) -shared $(EXPORT_FLAGS) $(WATCH_FLAGS) -o $@ $< \
	    $(filter %.o,$^) $(LIBS),LINK)
WATCH_FLAGS := -Wl,--wrap=mxclash_engine_free

check-host: $(HOST)/mxclash.so $(HOST)/empty.so $(HOST)/watched.so
	$(PYTHON) -B tests/host/check_host.py $(HOST) $(UNBOUND_TREE) $(HOST_VERSION)

# releases that were unpacked by hand: which versions an archive has changes from month to month
UNPACKED := $(patsubst $(B)/hosts/%/package/tree,%,$(wildcard $(B)/hosts/[0-9]*/package/tree))

# The module of each build in the server of each. no-threads is the distribution's version anew,
# with what changes Unbound's structs: processes for threads, mini-event for libevent, subnet.
ABI_VERSIONS ?= distribution $(UNPACKED)
NO_THREADS := $(B)/hosts/no-threads
MISFITS := version line size call
NO_THREADS_ARGUMENTS := --without-pthreads --without-solaris-threads --without-libevent --enable-subnet
.PHONY: check-abi check-abi-of
# what an archive lacks is named and left out, which is status 3 of build-unbound.sh
check-abi: | deps-build
	@had=; \
	build() { \
	    version=$$1; shift; status=0; \
	    module/host/unbound/build-unbound.sh $(B)/hosts/$$version "$$@" || status=$$?; \
	    case $$status in \
	    0) had="$$had $$version" ;; \
	    3) echo "check-abi: left out: $$version, whose source no archive of this machine has" ;; \
	    *) exit $$status ;; \
	    esac; \
	}; \
	for version in $(ABI_VERSIONS); do build $$version $$version "$(HOST_CFLAGS)"; done; \
	build $(notdir $(NO_THREADS)) distribution "" $(NO_THREADS_ARGUMENTS); \
	tests/host/stock-unbound.sh $(B)/stock; \
	[ ! -f $(B)/stock/missing ] || \
	    echo "check-abi: left out: the distribution's own server: $$(cat $(B)/stock/missing)"; \
	$(MAKE) UNBOUND_SRC= ABI_BUILDS="$$had" check-abi-of

check-abi-of:
	@$(foreach build,$(ABI_BUILDS), \
	    $(MAKE) UNBOUND_VERSION=$(build) $(B)/hosts/$(build)/mxclash.so &&) true
	@$(MAKE) UNBOUND_VERSION=$(firstword $(ABI_BUILDS)) \
	    $(MISFITS:%=$(B)/hosts/$(firstword $(ABI_BUILDS))/misfit-%.so)
	$(PYTHON) -B tests/host/check_abi.py $(B)/stock $(ABI_BUILDS:%=$(B)/hosts/%)

# modules that take their server for another one, each for one reason
misfit_version := -e '$$a\#undef PACKAGE_STRING' -e '$$a\#define PACKAGE_STRING "unbound 1.99.0"'
misfit_line := -e '$$a\#undef CONFCMDLINE' -e '$$a\#define CONFCMDLINE "--with-dynlibmodule"'
misfit_size := -e 's/, 0x/, 0x1/'
misfit_call := -e 's/{"log_err", 0}/{"no_such_function", 0}/'
$(HOST)/misfit-%.so: $(ADAPTER) $(RUNTIME) $(OUTPUT) $(CORE) module/host/unbound/exports.map
	@mkdir -p $(HOST)/misfit-$*
	@sed $(misfit_$*) $(HOST)/host_build.h > $(HOST)/misfit-$*/host_build.h
	@$(CC) $(ALL_CFLAGS) -I$(HOST)/misfit-$* -isystem $(UNBOUND_TREE) -DSRCDIR=. -c \
	    -o $(HOST)/misfit-$*/build_check.o module/host/unbound/build_check.c
	$(call say,$(CC) $(LINK) -shared $(EXPORT_FLAGS) -o $@ $(HOST)/misfit-$*/build_check.o \
	    $(filter-out %/build_check.o,$(filter %.o,$^)) $(LIBS),LINK)
