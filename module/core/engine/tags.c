/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The names of kinds, states and the like, as operators see them: see mxclash.h. */
#include "mxclash.h"

#define NAME(names, value)                                                                         \
    ((size_t)(value) < sizeof(names) / sizeof((names)[0]) ? (names)[value] : "?")

const char *mxclash_kind_name(uint32_t kind)
{
    static const char *const names[] = {"cname-and-mx", "cname-at-apex", "foreign-mx",
                                        "incomplete-mx", "spf-missing"};
    return NAME(names, kind);
}

const char *mxclash_state_name(uint32_t state)
{
    static const char *const names[] = {"suspected", "confirmed"};
    return NAME(names, state);
}

const char *mxclash_evidence_name(uint32_t evidence)
{
    static const char *const names[] = {"same-answer", "separate-answers", "probe"};
    return NAME(names, evidence);
}

const char *mxclash_event_type_name(uint32_t type)
{
    static const char *const names[] = {"opened",  "changed", "cleared", "expired",
                                        "started", "stopped", "tally"};
    return NAME(names, type);
}

const char *mxclash_impact_name(uint32_t impact)
{
    static const char *const names[] = {"unknown", "no-mail-host", "implicit-mx", "wrong-mail-host",
                                        "none"};
    return NAME(names, impact);
}

const char *mxclash_proof_result_name(uint32_t result)
{
    static const char *const names[] = {"both", "cname-only", "mx-only", "neither", "failed"};
    return NAME(names, result);
}

const char *mxclash_proof_drop_name(uint32_t drop)
{
    static const char *const names[] = {"queue-full", "stale", "host", "zone-limit"};
    return NAME(names, drop);
}

const char *mxclash_delay_name(uint32_t delay)
{
    static const char *const names[] = {"domain-limit", "rate-limit"};
    return NAME(names, delay);
}

const char *mxclash_outcome_name(uint32_t outcome)
{
    static const char *const names[] = {"hidden", "repaired"};
    return NAME(names, outcome);
}

const char *mxclash_spf_name(uint32_t spf)
{
    static const char *const names[] = {NULL, "lacks-provider", "permerror", "several-records"};
    return NAME(names, spf);
}

const char *mxclash_advice_name(uint32_t bit)
{
    static const char *const names[MXCLASH_ADVICES] = {
        "remove-cname",      "replace-cname-with-address",
        "move-cname",        "separate-mail-domain",
        "remove-foreign-mx", "complete-mx",
        "fix-spf",           "flatten-cname",
        "add-final-dot"};

    for (int i = 0; i < MXCLASH_ADVICES; i++)
        if (bit == 1u << i)
            return names[i];
    return "?";
}
