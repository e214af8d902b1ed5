/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Refuses to work in another build of Unbound than the one the module was made for: dynlib checks
 * nothing, and a wrong pair reads wrong offsets. How builds are told apart is in signature.sh.
 */
#include "adapter.h"

#include <dlfcn.h>
#include <link.h>

struct function_size {
    const char *name;
    unsigned long octets;
};

static const struct function_size signature[] = {HOST_SIGNATURE};

/** \return octets of a function of the host, 0 if it has none of that name */
static unsigned long size_in_host(const char *name)
{
    void *function = dlsym(RTLD_DEFAULT, name);
    Dl_info info;
    void *symbol = NULL;

    if (function == NULL)
        return 0;
#ifdef RTLD_DL_SYMENT
    if (dladdr1(function, &info, &symbol, RTLD_DL_SYMENT) == 0 || symbol == NULL)
        return 0;
    return ((const ElfW(Sym) *)symbol)->st_size;
#else
    /* only that it is there can be told without glibc's dladdr1() */
    (void)info, (void)symbol;
    for (size_t i = 0; i < sizeof(signature) / sizeof(signature[0]); i++)
        if (strcmp(signature[i].name, name) == 0)
            return signature[i].octets;
    return 0;
#endif
}

bool build_check(char *why, size_t why_size)
{
    for (size_t i = 0; i < sizeof(signature) / sizeof(signature[0]); i++) {
        if (size_in_host(signature[i].name) == signature[i].octets)
            continue;
        snprintf(why, why_size,
                 "this module was made for one build of Unbound %s, and this server is another "
                 "version or build (%s differs); make it anew with UNBOUND_SRC= the source tree "
                 "that this server was built from",
                 HOST_VERSION, signature[i].name);
        return false;
    }
    return true;
}
