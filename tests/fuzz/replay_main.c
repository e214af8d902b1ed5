/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A main() for a fuzz target without libFuzzer: feeds it each file named, and each regular file in
 * each folder named. Exit status 0 if all were fed, 1 if one could not be read or there was none.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Inputs fed so far. */
static unsigned long fed;

static bool complain(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return false;
}

/** Feed one file, whole, in a block of exactly its size so that a sanitizer sees each overrun. */
static bool feed_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return complain(path);
    }
    uint8_t *data = malloc(size > 0 ? size : 1);
    const bool good = data != NULL && fread(data, 1, size, file) == size;
    if (good) {
        LLVMFuzzerTestOneInput(data, size);
        fed++;
    } else {
        complain(path);
    }
    free(data);
    fclose(file);
    return good;
}

static bool feed(const char *path, bool descend)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return complain(path);
    }
    if (!S_ISDIR(status.st_mode)) {
        return feed_file(path, (size_t)status.st_size);
    }
    if (!descend) {
        return true;
    }
    struct dirent **entries;
    const int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        return complain(path);
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        char *inner;
        if (asprintf(&inner, "%s/%s", path, entries[i]->d_name) < 0) {
            abort();
        }
        good = feed(inner, false) && good;
        free(inner);
        free(entries[i]);
    }
    free(entries);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    for (int i = 1; i < argc; i++) {
        good = feed(argv[i], true) && good;
    }
    printf("%lu inputs\n", fed);
    return good && fed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
