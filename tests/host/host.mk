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
.PHONY: check-abi
check-abi:
	@$(foreach version,$(ABI_VERSIONS), \
	    $(MAKE) UNBOUND_SRC= UNBOUND_VERSION=$(version) $(B)/hosts/$(version)/mxclash.so &&) true
	@module/host/unbound/build-unbound.sh $(NO_THREADS) distribution "" \
	    --without-pthreads --without-solaris-threads --without-libevent --enable-subnet
	@$(MAKE) UNBOUND_SRC= UNBOUND_VERSION=no-threads $(NO_THREADS)/mxclash.so
	@$(MAKE) UNBOUND_SRC= UNBOUND_VERSION=$(firstword $(ABI_VERSIONS)) \
	    $(MISFITS:%=$(B)/hosts/$(firstword $(ABI_VERSIONS))/misfit-%.so)
	@tests/host/stock-unbound.sh $(B)/stock
	$(PYTHON) -B tests/host/check_abi.py $(B)/stock $(ABI_VERSIONS:%=$(B)/hosts/%) $(NO_THREADS)

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
