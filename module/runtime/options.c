/* SPDX-License-Identifier: BSD-3-Clause */
/** \file From the configuration to the detector: see options.h. */
#include "runtime/options.h"

struct mxclash_options config_to_options(const struct config *config)
{
    return (struct mxclash_options){
        .struct_size = sizeof(struct mxclash_options),
        .table_size = config->table_size,
        .probe = config->probe,
        .lookup = config->probe,
        .probe_rate = config->probe_rate,
        .confirm_after_s = config->confirm_after_s,
        .recheck_interval_s = config->recheck_interval_s,
        .expire_after_s = config->expire_after_s,
        .repair = config->repair,
        .ignore = (const char *const *)config->ignore,
        .ignore_count = config->ignore_count,
        .providers = config->provider_text,
        .providers_len = config->provider_text_len,
    };
}

struct providers *config_to_providers(const struct config *config)
{
    /* what the file has was found good when the configuration was read */
    char error[PROVIDERS_ERROR_MAX];

    return config->provider_text != NULL
               ? providers_parse(config->provider_text, config->provider_text_len, error)
               : providers_builtin(error);
}
