/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: a zone file, as `mxclash check-zone` reads it.
 *
 * Whatever it holds, the lines that are named are in it, in order, and reading it again gives the
 * same. It may include itself, as /proc/self/fd/200.
 */
#include "fuzz.h"

#include "ask/name.h"
#include "cli/zone_file.h"

#define FILE_NUMBER 200
#define FILE_PATH   "/proc/self/fd/200"

struct seen {
    const struct zone_file *zone;
    unsigned long records;
    unsigned long faults;
    unsigned long line;
    bool includes;
};

static void look(struct seen *seen, const struct zone_place *place)
{
    const char *path = zone_file_name(seen->zone, place->file);

    MUST(path != NULL && path[0] != '\0' && place->line >= 1);
    /* only one file, so its lines come in order, but where it includes itself */
    MUST(seen->includes || place->line >= seen->line);
    seen->line = place->line;
}

static void on_record(void *context, const struct zone_place *place, const ldns_rr *rr)
{
    struct seen *seen = context;
    struct ask_name name;

    look(seen, place);
    seen->records++;
    MUST(ask_name_of(&name, ldns_rr_owner(rr)));
}

static void on_fault(void *context, const struct zone_place *place, const char *text)
{
    struct seen *seen = context;

    look(seen, place);
    seen->faults++;
    MUST(text[0] != '\0');
}

/** Is the directive anywhere in it? Octets of any kind may stand around. */
static bool may_include(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i++)
        if (strncasecmp((const char *)data + i, "$include", 8) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ldns_rdf *origin;
    struct seen seen[2] = {0};
    struct zone_file *zone;
    bool includes;

    if (origin == NULL) {
        origin = ldns_dname_new_frm_str("example.com.");
        fuzz_file_open(FILE_NUMBER);
    }
    includes = may_include(data, size);
    /* each that includes itself twice does so to the depth that is allowed: a few are enough */
    if (includes && size > 64)
        return 0;
    fuzz_file_fill(FILE_NUMBER, data, size);
    zone = zone_file_new(FILE_PATH, origin);
    MUST(zone != NULL);
    for (int i = 0; i < 2; i++) {
        const struct zone_reader reader = {
            .context = &seen[i], .record = on_record, .fault = on_fault};

        seen[i].zone = zone;
        seen[i].includes = includes;
        MUST(zone_file_read(zone, &reader));
        MUST(seen[i].line <= zone_file_lines(zone) + 1);
    }
    MUST(seen[0].records == seen[1].records && seen[0].faults == seen[1].faults);
    zone_file_free(zone);
    return 0;
}
