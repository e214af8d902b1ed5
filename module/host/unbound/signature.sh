#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Print a C header that tells one build of Unbound from another.
#
# usage: signature.sh UNBOUND_BINARY
# Unbound checks no version when it loads a module, and reads and writes its structs by the offsets
# of its own build. The machine code that works on those structs changes size when an offset, a
# member or a configure flag does, so the sizes of these functions are the build's signature. All of
# them are in the replay tester too, built from the same objects. Of what else the module calls, some
# of it the tester's own, only the name is told: it must be there.
set -eu

nm -D -S --defined-only "$1" | awk '
    BEGIN {
        n = split("config_create config_delete config_get_option config_apply " \
                  "mesh_create mesh_new_client mesh_state_create mesh_state_cleanup mesh_add_sub " \
                  "mesh_attach_sub mesh_run mesh_query_done " \
                  "iter_init iter_operate iter_clear iter_get_mem process_response " \
                  "delegpt_create delegpt_copy modstack_setup dynlibmod_init dynlibmod_operate " \
                  "inplace_cb_register inplace_cb_query_response_call edns_opt_list_append_ede " \
                  "reply_info_answer_encode reply_info_copy regional_create val_operate " \
                  "dns_cache_lookup iter_dns_store", names, " ")
        for (i = 1; i <= n; i++) wanted[names[i]] = 1
        n = split("comm_base_internal dname_strict_subdomain_c dns_alloc_msg " \
                  "get_cname_target log_err log_info log_warn msg_cache_lookup " \
                  "msg_cache_remove parse_packet query_dname_compare rbtree_delete " \
                  "regional_alloc_init regional_alloc_zero reply_info_encode rrset_array_lock " \
                  "rrset_array_unlock rrset_cache_lookup sock_list_insert strmodulevent " \
                  "ub_comm_base_now ub_libevent_get_event_base", names, " ")
        for (i = 1; i <= n; i++) called[names[i]] = 1
        print "/* made by signature.sh */"
        print "#define HOST_SIGNATURE \\"
    }
    ($4 in wanted) && $3 ~ /[Tt]/ {
        size = $2
        sub(/^0+/, "", size)
        printf "    {\"%s\", 0x%s}, \\\n", $4, size
        found++
    }
    ($4 in called) && $3 ~ /[Tt]/ { printf "    {\"%s\", 0}, \\\n", $4 }
    END {
        print ""
        if (found < 20) { print "too few functions of the host found: " found > "/dev/stderr"; exit 1 }
    }'
