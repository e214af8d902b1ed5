# SPDX-License-Identifier: BSD-3-Clause
# make            everything under build/ (see docs/building.md)
# make demo       see it work on real servers; KEEP=1 leaves them running
# make check      every test
# make check-corpus SEED=N   the generated corpora, minutes
# make fuzz TARGET=T SECONDS=N   looks for inputs that break what reads from outside
# make install    DESTDIR and PREFIX honoured
# make deb        Debian packages, and more of the kind: see packaging/packaging.mk
#
# UNBOUND_SRC=DIR       build the module for an Unbound tree of your own, configured and built
# UNBOUND_VERSION=X     another version that the archive has, or a release that was unpacked as
#                       build/hosts/X/package/tree
# NO_INSTALL=1          install no packages, only name what is missing
# NO_DEPS=1             do not look at packages at all
# WERROR=-Werror        a warning ends the build; make check says so itself

CC ?= gcc
CLANG ?= clang
PREFIX ?= /usr/local
DESTDIR ?=
# Debian's own, which sees Debian's packages
PYTHON ?= /usr/bin/python3
UNBOUND_VERSION ?= distribution
# other flags for the Unbound that is built here, in place of the package's
HOST_CFLAGS ?=
# all: with the modules too that the distribution leaves out; built beside the other as NAME-all
HOST_FEATURES ?=
features_all := --enable-cachedb --with-libhiredis --enable-ipsecmod
B := build

# what is done in a word; V=1 shows the commands
ifeq ($(V),1)
say = $(1)
else
say = @printf '  %-5s %s\n' '$(2)' '$@'; $(1)
endif

VERSION := $(shell sed -n 's/^\#define MXCLASH_VERSION "\(.*\)"/\1/p' include/mxclash.h)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
    -Wformat=2 -Wundef
# not every compiler, machine and C library takes every flag: those of $(1) that pass a compilation
taken = $(foreach flag,$(1),$(shell $(CC) -O2 -Wall -Werror $(flag) -include string.h -x c -c \
    -o /dev/null /dev/null 2>/dev/null && echo '$(flag)'))
FORTIFY := $(lastword -D_FORTIFY_SOURCE=2 $(call taken,-D_FORTIFY_SOURCE=3))
HARDENING := -fstack-protector-strong $(FORTIFY) \
    $(call taken,-fstack-clash-protection -fcf-protection -mbranch-protection=standard)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -pthread $(WARNINGS) $(WERROR) \
    $(HARDENING) -Iinclude -Imodule -DMXCLASH_VERSION_TEXT='"$(VERSION)"' $(CFLAGS)
# no -z now: the module must be able to say that the host is the wrong one before a symbol of the
# right one is missing
LINK := -pthread -Wl,-z,relro -Wl,-z,noexecstack -Wl,-z,separate-code $(LDFLAGS)
PROGRAM_FLAGS := -pie -Wl,-z,now

# commas of their own would end an argument of $(call)
SONAME := libmxclash.so.$(shell sed -n 's/^\#define MXCLASH_ABI *//p' include/mxclash.h)
SYMBOLS := module/core/engine/exports.map
SONAME_FLAGS := -Wl,-soname,$(SONAME) -Wl,-z,now -Wl,-z,defs -Wl,--version-script=$(SYMBOLS)
# The second library stays once it is loaded: a thread of it may run when the host lets go of it.
PROVER_SONAME := libmxclash-prover.so.$(shell sed -n 's/^\#define MXCLASH_PROVER_ABI *//p' include/mxclash-prover.h)
PROVER_SYMBOLS := module/host/inside/exports.map
PROVER_SONAME_FLAGS := -Wl,-soname,$(PROVER_SONAME) -Wl,-z,now -Wl,-z,defs -Wl,-z,nodelete \
    -Wl,--version-script=$(PROVER_SYMBOLS)
EXPORT_FLAGS := -Wl,--version-script=module/host/unbound/exports.map

# --- the host ------------------------------------------------------------------------------------
ifdef UNBOUND_SRC
# a folder for each tree
HOST := $(B)/hosts/own-$(firstword $(shell printf %s '$(abspath $(UNBOUND_SRC))' | cksum))
UNBOUND_TREE := $(UNBOUND_SRC)
UNBOUND_BINARY ?= $(UNBOUND_SRC)/unbound
else
HOST := $(B)/hosts/$(UNBOUND_VERSION)$(HOST_FEATURES:%=-%)
UNBOUND_TREE = $(shell cat $(HOST)/package.path 2>/dev/null)
UNBOUND_BINARY = $(HOST)/prefix/sbin/unbound
endif
CONFIG_FOLDER = $(shell sed -n 's/^\#define CONFIGFILE "\(.*\)\/[^/]*"/\1/p' $(UNBOUND_TREE)/config.h)
HOST_VERSION = $(shell sed -n 's/^\#define PACKAGE_VERSION "\(.*\)"/\1/p' $(UNBOUND_TREE)/config.h)

# --- what is built from what -----------------------------------------------------------------------
objects = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c))
CORE := $(call objects,module/core/*) $(B)/obj/providers_text.o
OUTPUT := $(call objects,module/output)
# which nets may be asked is the configuration's word, and needs no ldns
RUNTIME := $(call objects,module/runtime) $(B)/obj/module/ask/address.o
# the operator's side: in the command, never in the resolver's module
ADVICE := $(call objects,module/advice)
BOOK := $(call objects,module/book)
WEB := $(call objects,module/web) $(B)/obj/page_text.o
ASK := $(filter-out %/address.o,$(call objects,module/ask))
PROVE := $(call objects,module/prove)
# the sidecar, a host without Unbound
SIDECAR := $(call objects,module/host/dnstap)
# what hosts have in their process beside the detector, which they take from libmxclash.so
INSIDE := $(call objects,module/host/inside)
PROVER := $(INSIDE) $(PROVE) $(ASK) $(B)/obj/module/ask/address.o $(B)/obj/module/output/thread.o
PROVER_LIBS := -levent_core -lldns
# these two know the host: where it keeps its configuration, and its structs
CLI := $(patsubst %.c,$(HOST)/obj/%.o,$(wildcard module/cli/*.c))
ADAPTER := $(patsubst %.c,$(HOST)/obj/%.o,$(wildcard module/host/unbound/*.c))
CORE_LIBS := -lpsl
LIBS := -levent -ljansson $(CORE_LIBS)
# of the command, which keeps and reads the book, shows it, and asks authorities
COMMAND_LIBS := $(LIBS) -lsqlite3 -lmicrohttpd -lldns
SIDECAR_LIBS := $(LIBS) -lldns -lfstrm
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all demo check install uninstall clean deps-build deps-demo deps-check unbound \
    check-unit check-replay check-system check-corpus check-format check-layers check-clang
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/mxclash.so $(B)/libmxclash.so $(B)/libmxclash-prover.so $(B)/mxclash.ffi.h $(B)/mxclash $(B)/mxclashd $(B)/unbound

ifdef NO_DEPS
deps-build deps-demo deps-check: ;
else
deps-build deps-demo deps-check: deps-%:
	@.ci/install.sh $*
endif

# what objects are made with: one that was made with other flags is made anew
FLAGS := $(B)/flags
FLAGS_TEXT = $(subst ','\'',$(CC) $(filter-out -Werror,$(ALL_CFLAGS)))
$(FLAGS): FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS_TEXT)' | cmp -s - $@ || echo '$(FLAGS_TEXT)' > $@

$(B)/obj/%.o: %.c $(FLAGS) | deps-build
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<,CC)

# the provider table is text that is built in: each line becomes a C string
$(B)/providers_text.c: module/core/providers/providers.txt | deps-build
	@mkdir -p $(@D)
	{ echo 'extern const char providers_builtin_text[];'; \
	  echo 'const char providers_builtin_text[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $<; echo ';'; } > $@
$(B)/obj/providers_text.o: $(B)/providers_text.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -c -o $@ $<,CC)

# The page of mxclash serve is one document, built in: its sources and uPlot, which draws its time
# line. npm fetches uPlot and holds it to the hash in package-lock.json; UPLOT= names a folder that
# has it. Without either the page shows the time line as a table.
PAGE := module/web/page
UPLOT ?= $(B)/page/node_modules/uplot
FETCHED := $(B)/page/fetched$(if $(shell command -v npm),,-without-npm)
$(FETCHED): $(PAGE)/package.json $(PAGE)/package-lock.json | deps-build
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@[ $(UPLOT) != $(B)/page/node_modules/uplot ] || { cd $(@D) && \
	    npm ci --ignore-scripts --no-audit --no-fund > npm.log 2>&1; } || { rm -rf $(UPLOT); \
	    echo "  NOTE  no uPlot ($(@D)/npm.log): the page shows its time line as a table only"; }
	@touch $@
$(B)/page_text.c: $(FETCHED) $(wildcard $(PAGE)/*.*)
	@$(PAGE)/join.sh $(UPLOT) > $@
$(B)/obj/page_text.o: $(B)/page_text.c module/web/page.h $(FLAGS)
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -c -o $@ $<,CC)

$(B)/libcore.a: $(CORE)
$(B)/liboutput.a: $(OUTPUT)
$(B)/libruntime.a: $(RUNTIME)
$(B)/libadvice.a: $(ADVICE)
$(B)/libbook.a: $(BOOK)
$(B)/libweb.a: $(WEB)
$(B)/libask.a: $(ASK)
$(B)/libprove.a: $(PROVE)
$(B)/libinside.a: $(INSIDE)
$(B)/libsidecar.a: $(filter-out %/main.o,$(SIDECAR))
# in the order in which the linker needs them
ARCHIVES := $(B)/libweb.a $(B)/libbook.a $(B)/libadvice.a $(B)/libprove.a $(B)/libask.a $(B)/libruntime.a $(B)/liboutput.a $(B)/libcore.a
$(B)/lib%.a:
	@rm -f $@
	$(call say,ar rcs $@ $^,AR)

$(B)/libmxclash.so: $(CORE) $(SYMBOLS)
	$(call say,$(CC) $(LINK) -shared $(SONAME_FLAGS) -o $@ $(CORE) $(CORE_LIBS),LINK)
	@ln -sfn $(@F) $(B)/$(SONAME) # the name by which a program looks for it

$(B)/libmxclash-prover.so: $(PROVER) $(PROVER_SYMBOLS) $(B)/libmxclash.so
	$(call say,$(CC) $(LINK) -shared $(PROVER_SONAME_FLAGS) -o $@ $(PROVER) -L$(B) -lmxclash $(PROVER_LIBS),LINK)
	@ln -sfn $(@F) $(B)/$(PROVER_SONAME)

PUBLIC_HEADERS := include/mxclash.h include/mxclash-prover.h
$(B)/mxclash.ffi.h: $(PUBLIC_HEADERS) include/ffi.sh | deps-build
	@mkdir -p $(@D)
	$(call say,CC='$(CC)' include/ffi.sh $(PUBLIC_HEADERS) > $@,FFI)

$(B)/mxclashd: $(B)/obj/module/host/dnstap/main.o $(B)/libsidecar.a $(B)/libprove.a $(B)/libask.a $(B)/libruntime.a $(B)/liboutput.a $(B)/libcore.a
	$(call say,$(CC) $(LINK) $(PROGRAM_FLAGS) -o $@ $^ $(SIDECAR_LIBS),LINK)

# the adapter's own header of the host: which build it is, and where it keeps its configuration
# wildcard: a binary that is not there is told of in plain words below
$(HOST)/host_build.h: $(HOST)/done module/host/unbound/signature.sh $(wildcard $(UNBOUND_BINARY))
	@test -f "$(UNBOUND_TREE)/config.h" -a -f "$(UNBOUND_BINARY)" || { \
	    echo "$(UNBOUND_TREE) is no built Unbound tree: there, run ./configure --with-dynlibmodule && make"; \
	    echo "(the server's binary is looked for at $(UNBOUND_BINARY); UNBOUND_BINARY= names another)"; exit 1; }
	module/host/unbound/signature.sh "$(UNBOUND_BINARY)" > $@
	echo '#define HOST_VERSION "$(HOST_VERSION)"' >> $@
	echo '#define HOST_CONFIG_FOLDER "$(CONFIG_FOLDER)"' >> $@

$(HOST)/done: | deps-build
ifdef UNBOUND_SRC
	mkdir -p $(HOST)/prefix/sbin
	ln -sfn $(abspath $(UNBOUND_BINARY)) $(HOST)/prefix/sbin/unbound
	ln -sfn $(abspath $(UNBOUND_SRC)/testbound) $(HOST)/testbound
	touch $@
else
	module/host/unbound/build-unbound.sh $(HOST) $(UNBOUND_VERSION) "$(HOST_CFLAGS)" $(features_$(HOST_FEATURES))
endif

$(HOST)/obj/%.o: %.c $(HOST)/host_build.h $(FLAGS)
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -I$(HOST) -isystem $(UNBOUND_TREE) -DSRCDIR=. -MMD -MP -c -o $@ $<,CC)

$(HOST)/mxclash.so: $(ADAPTER) $(RUNTIME) $(OUTPUT) $(CORE) module/host/unbound/exports.map
	$(call say,$(CC) $(LINK) -shared $(EXPORT_FLAGS) -o $@ $(filter %.o,$^) $(LIBS),LINK)

# which host is the current one can change from call to call: a copy that is made anew if it did
$(B)/mxclash.so $(B)/mxclash: $(B)/%: $(HOST)/% FORCE
	@cmp -s $< $@ || { cp -f $< $@.new && mv -f $@.new $@; }
$(B)/unbound: $(HOST)/done FORCE
	@[ "$$(readlink $@)" = "$(HOST:$(B)/%=%)/prefix" ] || ln -sfn $(HOST:$(B)/%=%)/prefix $@
unbound: $(B)/unbound
.PHONY: FORCE
FORCE:

$(HOST)/obj/module/cli/%.o: module/cli/%.c $(HOST)/host_build.h $(FLAGS)
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) -DCONFIG_FOLDER='"$(CONFIG_FOLDER)"' -MMD -MP -c -o $@ $<,CC)
$(HOST)/mxclash: $(CLI) $(ARCHIVES)
	$(call say,$(CC) $(LINK) $(PROGRAM_FLAGS) -o $@ $^ $(COMMAND_LIBS),LINK)

# --- tests -------------------------------------------------------------------------------------------
$(B)/tests/unit/%: tests/unit/%.c $(ARCHIVES) | deps-check
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) $(UNIT_CFLAGS) -MMD -MP $(LINK) -o $@ $< $(filter %.o,$^) \
	    $(filter %libsidecar.a %libinside.a,$^) $(filter-out %libsidecar.a %libinside.a,$(filter %.a,$^)) $(COMMAND_LIBS) $(UNIT_LIBS) -lcmocka,TEST)

$(B)/tests/authority: $(wildcard tests/authority/*.c) | deps-demo
	@mkdir -p $(@D)
	$(call say,$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $(filter %.c,$^) -lldns,TEST)

check: deps-check
	$(MAKE) NO_DEPS=1 WERROR=-Werror -j2 all $(B)/tests/authority
	$(MAKE) NO_DEPS=1 WERROR=-Werror -j2 all-modules
	$(MAKE) NO_DEPS=1 WERROR=-Werror -j2 --output-sync=target check-format check-layers check-elf check-fuzz check-clang check-abi-stable
	$(MAKE) NO_DEPS=1 WERROR=-Werror -j4 --output-sync=target check-unit check-replay check-system check-page check-fleet

check-unit: $(UNIT_TESTS)
	@for test in $^; do echo "== $$test"; $$test || exit 1; done

PYTEST := $(PYTHON) -B -m pytest -p no:cacheprovider -q

check-replay: all
	$(PYTEST) tests/replay tests/field

# the same module with another signature: what a server of another build would load
$(HOST)/wrong-build.so: $(ADAPTER) $(RUNTIME) $(OUTPUT) $(CORE) module/host/unbound/exports.map
	@mkdir -p $(HOST)/wrong
	@sed 's/, 0x/, 0x1/' $(HOST)/host_build.h > $(HOST)/wrong/host_build.h
	@$(CC) $(ALL_CFLAGS) -I$(HOST)/wrong -isystem $(UNBOUND_TREE) -DSRCDIR=. -c \
	    -o $(HOST)/wrong/build_check.o module/host/unbound/build_check.c
	$(call say,$(CC) $(LINK) -shared $(EXPORT_FLAGS) -o $@ $(HOST)/wrong/build_check.o \
	    $(filter-out %/build_check.o,$(filter %.o,$^)) $(LIBS),LINK)

# a host that has every module, ours for it, and one that does nothing to stand beside ours
ALL_MODULES := $(B)/hosts/$(UNBOUND_VERSION)-all
.PHONY: all-modules
ifdef UNBOUND_SRC
all-modules: ;
else
all-modules:
	@$(MAKE) NO_DEPS=1 HOST_FEATURES=all $(ALL_MODULES)/mxclash.so $(ALL_MODULES)/empty.so
endif

# Mostly they wait: so more at a time than there are processors, a file at a time each (pytest-xdist)
SYSTEM_AT_ONCE ?= 5
.PHONY: check-system
check-system: all all-modules $(B)/tests/authority $(HOST)/wrong-build.so system-programs
	$(PYTEST) -n $(SYSTEM_AT_ONCE) --dist loadfile tests/system

# `check` is to be quick: some of its tests are smaller than they are meant to be, see tests/system/lab.py
check-long:
	MXCLASH_LONG=yes $(MAKE) check

# 20,000 healthy domains and 2,000 broken ones, generated; some minutes, so not part of check
check-corpus: all $(B)/tests/authority
	$(PYTHON) -B tests/corpus/run.py $(if $(SEED),--seed $(SEED))

C_FILES = $(shell git ls-files '*.c' '*.h')
check-format:
	@clang-format --dry-run -Werror $(C_FILES) && echo "check-format: ok"

check-layers: $(ADAPTER) $(SIDECAR) $(INSIDE) $(PROVE) $(CLI) $(filter-out %/page_text.o,$(WEB)) $(BOOK) $(ADVICE) $(ASK) $(RUNTIME) $(OUTPUT) $(CORE)
	@tests/layers.sh
	@tests/circles.sh $^
	@$(PYTHON) -B tests/architecture.py

# the second compiler only compiles: warnings are errors there too
CLANG_FILES := $(wildcard module/*/*.c module/*/*/*.c tests/unit/*.c tests/authority/*.c)
check-clang: $(CLANG_FILES:%.c=$(B)/clang/%.o)
$(B)/clang/%.o: %.c $(HOST)/host_build.h
	@mkdir -p $(@D)
	$(call say,$(CLANG) $(ALL_CFLAGS) -I$(HOST) -isystem $(UNBOUND_TREE) -DSRCDIR=. -MMD -MP -c -o $@ $<,CLANG)

# each layer of tests may bring rules of its own
include packaging/packaging.mk $(wildcard tests/*/*.mk)

demo: deps-demo
	@$(MAKE) -s NO_DEPS=1 all $(B)/tests/authority
	@$(PYTHON) -B tests/demo/demo.py

# --- install -----------------------------------------------------------------------------------------
MAN = $(DESTDIR)$(PREFIX)/share/man
DOC = $(DESTDIR)$(PREFIX)/share/doc/mxclash
MANUALS = $(wildcard docs/*.[1-9])
install: all
	install -D -m 755 $(B)/mxclash $(DESTDIR)$(PREFIX)/bin/mxclash
	install -D -m 755 $(B)/mxclashd $(DESTDIR)$(PREFIX)/sbin/mxclashd
	install -D -m 644 $(B)/mxclash.so $(DESTDIR)$(PREFIX)/lib/mxclash/mxclash.so
	install -D -m 644 $(B)/libmxclash.so $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sfn $(SONAME) $(DESTDIR)$(PREFIX)/lib/libmxclash.so
	install -m 644 $(B)/libmxclash-prover.so $(DESTDIR)$(PREFIX)/lib/$(PROVER_SONAME)
	ln -sfn $(PROVER_SONAME) $(DESTDIR)$(PREFIX)/lib/libmxclash-prover.so
	install -D -m 644 include/mxclash.h $(DESTDIR)$(PREFIX)/include/mxclash.h
	install -m 644 include/mxclash-prover.h $(DESTDIR)$(PREFIX)/include/mxclash-prover.h
	install -m 644 $(B)/mxclash.ffi.h $(DESTDIR)$(PREFIX)/include/mxclash.ffi.h
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	for name in mxclash mxclash-prover; do \
	    sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' include/$$name.pc.in \
	        > $(DESTDIR)$(PREFIX)/lib/pkgconfig/$$name.pc || exit 1; done
	for page in $(MANUALS); do \
	    install -D -m 644 $$page $(MAN)/man$${page##*.}/$${page##*/} || exit 1; done
	install -d $(DOC)/docs
	install -m 644 docs/*.md $(DOC)/docs
	for file in $$(find conf-examples packaging/confinement -type f); do \
	    install -D -m 644 $$file $(DOC)/$$file || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/mxclash $(DESTDIR)$(PREFIX)/sbin/mxclashd \
	    $(DESTDIR)$(PREFIX)/lib/libmxclash.so \
	    $(DESTDIR)$(PREFIX)/lib/$(SONAME) $(DESTDIR)$(PREFIX)/lib/pkgconfig/mxclash.pc \
	    $(DESTDIR)$(PREFIX)/lib/libmxclash-prover.so $(DESTDIR)$(PREFIX)/lib/$(PROVER_SONAME) \
	    $(DESTDIR)$(PREFIX)/lib/pkgconfig/mxclash-prover.pc $(DESTDIR)$(PREFIX)/include/mxclash-prover.h \
	    $(DESTDIR)$(PREFIX)/include/mxclash.h $(DESTDIR)$(PREFIX)/include/mxclash.ffi.h \
	    $(foreach page,$(MANUALS),$(MAN)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page)))
	rm -rf $(DESTDIR)$(PREFIX)/lib/mxclash $(DOC)

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj $(B)/clang $(B)/tests $(HOST)/obj -type f -name '*.d' 2>/dev/null)
