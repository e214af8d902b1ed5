# SPDX-License-Identifier: BSD-3-Clause
# What protoc-c makes of tap.proto: the reader and writer that tests hold ours against.

TAP_PROTO := $(B)/tests/dnstap/tap.pb-c
$(TAP_PROTO).c $(TAP_PROTO).h &: tests/dnstap/tap.proto | deps-check
	@mkdir -p $(@D)
	$(call say,protoc-c --proto_path=tests/dnstap --c_out=$(@D) $<,PROTO)
# generated, so not by our rules for names and conversions
$(TAP_PROTO).o: $(TAP_PROTO).c
	$(call say,$(CC) $(filter-out -Werror,$(ALL_CFLAGS)) -w -c -o $@ $<,CC)

SIDECAR_TESTS := $(patsubst %,$(B)/tests/unit/test_%,frames tap_message aliases)
$(SIDECAR_TESTS): UNIT_CFLAGS := -isystem $(B)/tests/dnstap
$(SIDECAR_TESTS): UNIT_LIBS := -lfstrm -lprotobuf-c
$(SIDECAR_TESTS): $(TAP_PROTO).o $(B)/libsidecar.a
$(B)/clang/tests/unit/test_tap_message.o: $(TAP_PROTO).h
$(B)/clang/tests/unit/test_tap_message.o: ALL_CFLAGS += -isystem $(B)/tests/dnstap
