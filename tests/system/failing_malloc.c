/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Loaded in front of the C library into a server with our module: the n-th allocation on the
 * module's account finds no memory, all others are as ever.
 *
 * An allocation is on the module's account if the module calls, or a library that works for it.
 * Two functions of libevent 2.1 are left out: they crash by themselves where they find no memory,
 * and the module keeps a reserve for them (httpd.c).
 * The file that FAILING_MALLOC names is shared with the test: see struct account.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** What the test reads and writes, as 64-bit numbers in this order. */
struct account {
    /** allocations on the module's account so far */
    _Atomic uint64_t calls;
    /** the call that fails, the first being 1; 0 is none */
    _Atomic uint64_t fail_at;
    /** calls that failed */
    _Atomic uint64_t failed;
};

/** Frames between an allocation in a library and whoever called the library. */
#define FRAMES_MAX  32
#define OBJECTS_MAX 64

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static struct account *account;
static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

enum owner { owner_module, owner_library, owner_other };

/** What the process was linked with, which a table tells faster than the loader does. */
static struct object {
    uintptr_t begin, end;
    enum owner owner;
} objects[OBJECTS_MAX];
static size_t object_count;

static enum owner owner_of_file(const char *path)
{
    static const char *const libraries[] = {"libc.so",    "ld-linux",   "libpthread",    "libevent",
                                            "libjansson", "libsqlite3", "failing_malloc"};
    const char *name = strrchr(path, '/');

    name = name == NULL ? path : name + 1;
    if (strcmp(name, "mxclash.so") == 0)
        return owner_module;
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        if (strncmp(name, libraries[i], strlen(libraries[i])) == 0)
            return owner_library;
    return owner_other;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object *object = &objects[object_count];

    (void)size;
    (void)unused;
    if (object_count == OBJECTS_MAX)
        return 1;
    *object = (struct object){.begin = UINTPTR_MAX, .owner = owner_of_file(info->dlpi_name)};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        if (begin < object->begin)
            object->begin = begin;
        if (begin + info->dlpi_phdr[i].p_memsz > object->end)
            object->end = begin + info->dlpi_phdr[i].p_memsz;
    }
    object_count++;
    return 0;
}

static enum owner owner_of(const void *address)
{
    Dl_info info;

    for (size_t i = 0; i < object_count; i++)
        if ((uintptr_t)address >= objects[i].begin && (uintptr_t)address < objects[i].end)
            return objects[i].owner;
    return dladdr(address, &info) == 0 || info.dli_fname == NULL ? owner_other
                                                                 : owner_of_file(info.dli_fname);
}

static bool crashes_by_itself(const void *address)
{
    Dl_info info;

    return dladdr(address, &info) != 0 && info.dli_sname != NULL &&
           (strcmp(info.dli_sname, "evhttp_connection_base_bufferevent_new") == 0 ||
            strcmp(info.dli_sname, "evhttp_request_new") == 0);
}

/** Is the first caller that is no library our module? */
static bool is_ours(const void *caller)
{
    void *frames[FRAMES_MAX];
    enum owner owner = owner_of(caller);
    int count;

    if (owner != owner_library)
        return owner == owner_module;
    count = backtrace(frames, FRAMES_MAX);
    for (int i = 0; i < count && owner == owner_library; i++)
        owner = crashes_by_itself(frames[i]) ? owner_other : owner_of(frames[i]);
    return owner == owner_module;
}

/** \return true if this allocation fails */
static bool fails(const void *caller)
{
    bool failing = false;

    if (account == NULL || inside)
        return false;
    inside = true;
    if (is_ours(caller)) {
        const uint64_t call = atomic_fetch_add(&account->calls, 1) + 1;

        failing = call == atomic_load(&account->fail_at);
        if (failing)
            atomic_fetch_add(&account->failed, 1);
    }
    inside = false;
    if (failing)
        errno = ENOMEM;
    return failing;
}

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("FAILING_MALLOC");
    void *frames[1];
    void *mapped;
    int fd;

    /* the first call loads the unwinder */
    backtrace(frames, 1);
    dl_iterate_phdr(note_object, NULL);
    fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd == -1)
        return;
    mapped = mmap(NULL, sizeof(*account), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        account = mapped;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}
