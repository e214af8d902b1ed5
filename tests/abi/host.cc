// SPDX-License-Identifier: BSD-3-Clause
// The header as C++ reads it, and a call.
#include <cstdio>
#include <cstring>

#include "mxclash.h"

int main()
{
    mxclash_options options;
    mxclash_event event = {};
    mxclash_engine *engine = nullptr;
    char error[MXCLASH_ERROR_MAX];

    mxclash_options_init(&options, sizeof(options));
    if (mxclash_engine_new(&options, &engine, error, sizeof(error)) != mxclash_ok)
        return 1;
    event.kind = mxclash_cname_at_apex;
    event.struct_size = sizeof(event);
    std::printf("%s %u %s %d\n", mxclash_version(), mxclash_abi(), mxclash_kind_name(event.kind),
                mxclash_event_next(engine, &event));
    mxclash_engine_free(engine);
    return std::strcmp(mxclash_version(), MXCLASH_VERSION) != 0 || mxclash_abi() != MXCLASH_ABI;
}
