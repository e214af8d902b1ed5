/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What to tell people of a conflict, as JSON: see advice_json.h. */
#include "web/advice_json.h"

#include <stdlib.h>

#include "book/book_advice.h"

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *steps_json(const struct advice *advice)
{
    json_t *list = json_array();

    for (size_t i = 0; i < advice->step_count; i++) {
        const struct advice_step *step = &advice->steps[i];

        if (json_array_append_new(
                list, json_pack("{s:b, s:o, s:o, s:o}", "alternative", step->alternative, "word",
                                text_or_null(step->word), "text", text_or_null(step->text),
                                "records", text_or_null(step->records))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *in_language(const struct advice_case *of, enum advice_language language)
{
    char *letter = advice_letter(of, language);
    struct advice advice;
    json_t *object = NULL;

    if (letter != NULL && advice_make(of, language, &advice)) {
        object = json_pack("{s:s, s:s, s:o, s:s}", "fault", advice.fault, "impact", advice.impact,
                           "steps", steps_json(&advice), "letter", letter);
        advice_free(&advice);
    }
    free(letter);
    return object;
}

json_t *advice_json(const struct book_conflict *conflict, const struct providers *providers)
{
    struct book_advice told;
    json_t *object = json_object();

    book_advice_make(&told, conflict, providers);
    for (int i = 0; i < ADVICE_LANGUAGES; i++)
        if (json_object_set_new(object, advice_language_tags[i], in_language(&told.of, i)) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}
