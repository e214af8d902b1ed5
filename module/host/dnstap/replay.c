/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The sidecar that reads files: see sidecar.h.
 *
 * Which clock counts: with proofs it is ours, for what the authority says it says now. What the
 * file shows at two times then looks as though it were there at one, and the proof decides. Without
 * proofs nothing would decide, so the times of the file count, and events tell them.
 *
 * Reading waits for proofs after each piece, so that no suspicion is lost for want of room.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/stats.h"
#include "host/dnstap/frames.h"
#include "host/dnstap/sidecar.h"
#include "host/dnstap/works.h"
#include "output/clock.h"
#include "output/error_text.h"

#define PIECE_OCTETS (1 << 20)
#define PROGRESS_MS  200

/** SIGTERM or SIGINT came. */
static volatile sig_atomic_t stopped;

struct replay {
    struct works works;
    /** the times of the file count */
    bool recorded;
    mxclash_time now;
    /** of the file at hand */
    const char *path;
    uint64_t octets;
    uint64_t octets_all;
    bool shows_progress;
    int64_t shown_ms;
    uint8_t *piece;
};

static uint64_t frames_of(const struct replay *replay)
{
    uint64_t count = 0;
    for (int use = 0; use < TAKE_USES; use++) {
        count += count_read(&replay->works.frames[use]);
    }
    return count;
}

/** \param at_once  even if the last time was just now */
static void show_progress(struct replay *replay, bool at_once)
{
    struct engine_stats stats;
    uint64_t opened = 0;
    char share[32] = "";
    if (!replay->shows_progress ||
        (!at_once && clock_steady_ms() - replay->shown_ms < PROGRESS_MS)) {
        return;
    }
    replay->shown_ms = clock_steady_ms();
    engine_get_stats(runtime_engine(replay->works.runtime), &stats);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        opened += stats.opened[kind];
    }
    if (replay->octets_all != 0) {
        snprintf(share, sizeof(share), "%3u %%, ",
                 (unsigned)(replay->octets * 100 / replay->octets_all));
    }
    fprintf(stderr, "\r\033[K%s: %s%" PRIu64 " frames, %" PRIu64 " conflicts", replay->path, share,
            frames_of(replay), opened);
    fflush(stderr);
}

static void end_progress(const struct replay *replay)
{
    if (replay->shows_progress) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct replay *replay = context;
    if (!replay->recorded) {
        replay->now = clock_now();
    } else {
        /* frames of several threads are out of order by a little: time does not go back for it */
        const mxclash_time told = take_time_of(frame, len);
        replay->now = told > replay->now ? told : replay->now;
    }
    works_take(&replay->works, frame, len, replay->now);
}

static void prove(struct replay *replay)
{
    prover_go(replay->works.prover);
    event_base_loop(replay->works.base, EVLOOP_NONBLOCK);
    while (!stopped && prover_is_busy(replay->works.prover)) {
        show_progress(replay, false);
        event_base_loop(replay->works.base, EVLOOP_ONCE);
    }
}

/** \return false after a line on stderr */
static bool read_stream(struct replay *replay, int file)
{
    const struct frames_sink sink = {.data = on_frame, .context = replay};
    struct frames frames = {0};
    ssize_t len = 0;
    bool goes_on = true;
    while (goes_on && !stopped && (len = read(file, replay->piece, PIECE_OCTETS)) > 0) {
        goes_on = frames_feed(&frames, replay->piece, (size_t)len, &sink);
        replay->octets += (uint64_t)len;
        prove(replay);
        show_progress(replay, false);
    }
    char buffer[ERROR_TEXT_MAX];
    const int error = len < 0 && errno != EINTR ? errno : 0;
    const enum frames_state state = frames.state;
    const bool torn = frames_is_torn(&frames);
    frames_free(&frames);
    end_progress(replay);
    if (error != 0) {
        fprintf(stderr, "mxclashd: %s: %s\n", replay->path, error_text(error, buffer));
        return false;
    }
    if (stopped || state == frames_stopped) {
        return true;
    }
    /* a file that is still written, or whose writer was killed */
    if (state == frames_data) {
        fprintf(stderr, "mxclashd: %s: ends without saying so%s\n", replay->path,
                torn ? ", inside a frame" : "");
        return true;
    }
    fprintf(stderr, "mxclashd: %s: %s\n", replay->path,
            state <= frames_accepted ? "is no dnstap file" : frames_state_text(state));
    return false;
}

static bool read_file(struct replay *replay, const char *path)
{
    struct stat seen;
    char buffer[ERROR_TEXT_MAX];
    const bool is_input = strcmp(path, "-") == 0;
    const int file = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    replay->path = is_input ? "standard input" : path;
    if (file < 0) {
        fprintf(stderr, "mxclashd: %s: %s\n", path, error_text(errno, buffer));
        return false;
    }
    replay->octets = 0;
    replay->octets_all =
        fstat(file, &seen) == 0 && S_ISREG(seen.st_mode) ? (uint64_t)seen.st_size : 0;
    const bool good = read_stream(replay, file);
    if (!is_input) {
        close(file);
    }
    return good;
}

/** The last lines say what there was: after the outputs have ended, so that no event comes later or
 * in between. */
static void sum_up(const struct replay *replay, const struct engine_stats *stats)
{
    printf("%" PRIu64 " frames:", frames_of(replay));
    for (int use = 0; use < TAKE_USES; use++) {
        printf(" %s %" PRIu64 "%s", take_use_name((enum take_use)use),
               count_read(&replay->works.frames[use]), use + 1 < TAKE_USES ? "," : "\n");
    }
    printf("conflicts:");
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        printf(" %s %" PRIu64 "%s", mxclash_kind_name((enum mxclash_kind)kind), stats->opened[kind],
               kind + 1 < MXCLASH_KINDS ? "," : "\n");
    }
    uint64_t dropped = 0;
    for (int drop = 0; drop < MXCLASH_PROOF_DROPS; drop++) {
        dropped += stats->proofs_dropped[drop];
    }
    if (dropped != 0) {
        printf("%" PRIu64 " suspicions were not followed: see docs/hosts.md\n", dropped);
    }
}

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/** Without SA_RESTART, so that a read() of a pipe ends too. */
static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static bool start(struct replay *replay)
{
    replay->works.base = event_base_new();
    replay->piece = malloc(PIECE_OCTETS);
    if (replay->works.base == NULL || replay->piece == NULL) {
        fprintf(stderr, "mxclashd: no memory\n");
        return false;
    }
    catch_signals();
    if (!works_start(&replay->works)) {
        return false;
    }
    replay->recorded = !runtime_config(replay->works.runtime)->probe;
    return true;
}

enum sidecar_exit sidecar_read(const struct sidecar_options *options, char *const *paths,
                               size_t count)
{
    struct replay replay = {
        .works = {.options = *options, .log = stdout, .no_http = true},
        .shows_progress = isatty(STDERR_FILENO) != 0,
    };
    struct engine_stats stats;
    const bool started = start(&replay);
    bool good = started;
    if (started) {
        for (size_t i = 0; i < count && !stopped; i++) {
            good = read_file(&replay, paths[i]) && good;
        }
        good = good && !stopped;
        engine_get_stats(runtime_engine(replay.works.runtime), &stats);
    }
    works_stop(&replay.works);
    if (started) {
        sum_up(&replay, &stats);
    }
    if (replay.works.base != NULL) {
        event_base_free(replay.works.base);
    }
    free(replay.piece);
    return good ? sidecar_good : sidecar_failed;
}
