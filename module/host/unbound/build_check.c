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

/** Is the function in the host, with so many octets? */
static bool host_has(const struct function_size *function)
{
    void *address = dlsym(RTLD_DEFAULT, function->name);
#ifdef __GLIBC__
    Dl_info info;
    void *symbol = NULL;

    return address != NULL && dladdr1(address, &info, &symbol, RTLD_DL_SYMENT) != 0 &&
           symbol != NULL && ((const ElfW(Sym) *)symbol)->st_size == function->octets;
#else
    /* other C libraries tell no sizes: only that the function is there */
    return address != NULL;
#endif
}

bool build_check(char *why, size_t why_size)
{
    for (size_t i = 0; i < sizeof(signature) / sizeof(signature[0]); i++) {
        if (host_has(&signature[i]))
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
