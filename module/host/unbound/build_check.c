/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Refuses to work in another build of Unbound than the one the module was made for: dynlib checks
 * nothing, and a wrong pair reads wrong offsets.
 *
 * Three things tell builds apart. The server carries its version and its configure line as texts,
 * and so do the headers that we were compiled with. Its functions have the sizes that they had in
 * the server that we were made for, see signature.sh: they change with the source, the compiler and
 * its flags. And every function of the server that we call is there: for the functions are bound
 * when they are first called, and a missing one would end the server then.
 */
#include "host.h"

#include "build_check.h"

#include <dlfcn.h>
#include <link.h>

/** octets is 0 where only the function's presence counts. */
struct function_size {
    const char *name;
    unsigned long octets;
};

static const struct function_size signature[] = {HOST_SIGNATURE};

/** A text of the server's, with the zero that ends it. */
struct text {
    const char *start;
    size_t size;
    bool found;
};

/** Is the function in the host, with so many octets? */
static bool host_has(const struct function_size *function)
{
    void *address = dlsym(RTLD_DEFAULT, function->name);
#ifdef __GLIBC__
    Dl_info info;
    void *symbol = NULL;

    return address != NULL &&
           (function->octets == 0 ||
            (dladdr1(address, &info, &symbol, RTLD_DL_SYMENT) != 0 && symbol != NULL &&
             ((const ElfW(Sym) *)symbol)->st_size == function->octets));
#else
    /* other C libraries tell no sizes: only that the function is there */
    return address != NULL;
#endif
}

/**
 * Find a text, whole, from the zero before it to its own. The octets are read one by one and
 * without a sanitizer's look, for between the objects of a server that has one lies what it calls
 * poisoned.
 */
__attribute__((no_sanitize("address"))) static bool has_text(const char *octets, size_t size,
                                                             const struct text *text)
{
    for (size_t i = 0; i + text->size <= size; i++) {
        size_t same = 0;

        if (i != 0 && octets[i - 1] != '\0')
            continue;
        while (same < text->size && octets[i + same] == text->start[same])
            same++;
        if (same == text->size)
            return true;
    }
    return false;
}

/** Called for the program first, then for its libraries, which do not matter. */
static int look_in_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct text *text = arg;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum && !text->found; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        /* constants: in no segment that can be written to */
        if (segment->p_type == PT_LOAD && (segment->p_flags & (PF_R | PF_W)) == PF_R)
            /* NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells it as a number */
            text->found = has_text((const char *)(info->dlpi_addr + segment->p_vaddr),
                                   segment->p_filesz, text);
    }
    return 1;
}

static bool host_says(const char *start, size_t size)
{
    struct text text = {.start = start, .size = size};

    dl_iterate_phdr(look_in_program, &text);
    return text.found;
}

/** \return what differs, NULL if nothing does */
static const char *difference(void)
{
    if (!host_says(PACKAGE_STRING, sizeof(PACKAGE_STRING)))
        return "its version";
    if (!host_says(CONFCMDLINE, sizeof(CONFCMDLINE)))
        return "its configure line";
    for (size_t i = 0; i < sizeof(signature) / sizeof(signature[0]); i++)
        if (!host_has(&signature[i]))
            return signature[i].name;
    return NULL;
}

bool build_check(char *why, size_t why_size)
{
    const char *what = difference();

    if (what == NULL)
        return true;
    snprintf(why, why_size,
             "this module was made for one build of Unbound %s, and this server is another "
             "version or build (%s differs); make it anew with UNBOUND_SRC= the source tree "
             "that this server was built from",
             HOST_VERSION, what);
    return false;
}
