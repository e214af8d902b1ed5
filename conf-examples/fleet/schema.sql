-- Events of a fleet of resolvers with mxclash, and what is in conflict over all of it.
-- PostgreSQL 15 or newer, a database in UTF-8. As its owner: psql -v ON_ERROR_STOP=1 -f schema.sql
-- What it means: docs/fleet.md. Names and words are those of the log (docs/detection.md) and of the
-- book (docs/book.md).
--
-- Nothing here depends on the order in which lines come, nor on how often a line comes: a fleet sends
-- again what it is not sure of.

BEGIN;

CREATE SCHEMA mxclash;
SET LOCAL search_path = mxclash;

-- --- rights ---------------------------------------------------------------------------------------
-- The writer may hand lines in, and no more: it reads and changes no table. The reader reads. Neither
-- may log in with a password: by the names of users of the system, or as you set it.

DO $$
BEGIN
    IF to_regrole('mxclash_writer') IS NULL THEN
        CREATE ROLE mxclash_writer LOGIN;
    END IF;
    IF to_regrole('mxclash_reader') IS NULL THEN
        CREATE ROLE mxclash_reader LOGIN;
    END IF;
END $$;

-- --- settings -------------------------------------------------------------------------------------

CREATE TABLE setting (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- what is older leaves; the book's retention-days
    retention interval NOT NULL DEFAULT '90 days' CHECK (retention >= '8 days'),
    -- A tally is only what was counted so far, and most lines are tallies: they leave sooner.
    retention_of_tallies interval NOT NULL DEFAULT '7 days',
    -- an open conflict that its host may have forgotten at a restart ends after this, as in the book
    silent_after interval NOT NULL DEFAULT '7 days'
);
INSERT INTO setting DEFAULT VALUES;

-- --- tables ---------------------------------------------------------------------------------------

-- Every line that came, once. One table a day, made and dropped by keep(); the last is for times that
-- have no day here, as of a resolver whose clock is wrong.
CREATE TABLE event (
    time timestamptz NOT NULL,
    digest bytea NOT NULL,          -- SHA-256 of the line: the same line is the same event
    host text NOT NULL,
    event text NOT NULL,
    domain text,
    kind text,
    received timestamptz NOT NULL DEFAULT now(),
    told jsonb NOT NULL,            -- the whole line
    PRIMARY KEY (time, digest)
) PARTITION BY RANGE (time);
CREATE INDEX ON event (domain, time) WHERE domain IS NOT NULL;
CREATE INDEX ON event (host, time);
CREATE INDEX ON event (time) WHERE event = 'tally';
CREATE TABLE event_undated PARTITION OF event DEFAULT;

-- One row for what one host told of one domain and kind, from an opening to its end. A detector that
-- forgot the conflict opens it anew, with another first_seen and its count from 0: another row.
CREATE TABLE run (
    domain text NOT NULL,
    kind text NOT NULL,
    host text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    told timestamptz NOT NULL,      -- time of the newest event
    described timestamptz,          -- time of the newest one that was more than a tally
    state text NOT NULL,
    evidence text,
    impact text,
    provider text,
    zone text,
    cname_target text,
    authority text,
    mx_queries bigint NOT NULL DEFAULT 0,
    ended timestamptz,
    ending text CHECK (ending IN ('cleared', 'expired')),
    PRIMARY KEY (domain, kind, host, first_seen),
    CHECK ((ended IS NULL) = (ending IS NULL))
);
CREATE INDEX ON run (host);
CREATE INDEX ON run (told);

CREATE TABLE host (
    host text PRIMARY KEY,
    version text,
    started timestamptz,            -- the newest start of its detector
    stopped timestamptz,
    newest timestamptz NOT NULL,    -- time of its newest event
    received timestamptz NOT NULL   -- when one last came, by this clock
);

-- Lines that are no event. None should be here.
CREATE TABLE refused (
    digest bytea PRIMARY KEY,
    received timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    line text NOT NULL
);

-- How far the loader has read each of its files: written in the transaction of what was read.
CREATE TABLE place (
    file text PRIMARY KEY,
    octets bigint NOT NULL,
    read timestamptz NOT NULL DEFAULT now()
);

-- --- lines come in --------------------------------------------------------------------------------

-- A time of an event. Not what else timestamptz takes, such as 'infinity' or 'now'.
CREATE FUNCTION time_of(text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF $1 !~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$' THEN
        RAISE data_exception USING MESSAGE = 'no time of an event';
    END IF;
    RETURN $1::timestamptz;
END $$;

-- An event that a later version brings is kept, and tells nothing of a conflict here.
CREATE FUNCTION is_of_conflict(told jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT told->>'domain' IS NOT NULL AND
        told->>'event' IN ('opened', 'changed', 'cleared', 'expired', 'tally')
$$;

-- One line. Whatever it holds, it stands in event or in refused afterwards. Returns the event if it is
-- new.
CREATE FUNCTION take_line(line text) RETURNS jsonb LANGUAGE plpgsql SET search_path = mxclash AS $$
DECLARE
    digest bytea := sha256(convert_to(line, 'UTF8'));
    told jsonb;
    told_at timestamptz;
    reason text;
    whole int;
BEGIN
    BEGIN
        told := line::jsonb;
        told_at := time_of(told->>'time');
        IF told_at IS NULL OR told->>'event' IS NULL OR coalesce(told->>'host', '') = '' THEN
            RAISE data_exception USING MESSAGE = 'it lacks time, event or host';
        END IF;
        IF octet_length(told->>'host') > 255 OR octet_length(told->>'event') > 64 OR
                octet_length(told->>'domain') > 1024 OR octet_length(told->>'kind') > 64 THEN
            RAISE data_exception USING MESSAGE = 'a name is longer than names are';
        END IF;
        IF is_of_conflict(told) AND (time_of(told->>'first_seen') IS NULL OR
                time_of(told->>'last_seen') IS NULL OR told->>'kind' IS NULL OR
                told->>'state' IS NULL OR (told->>'mx_queries')::bigint IS NULL) THEN
            RAISE data_exception USING MESSAGE = 'it lacks what a conflict has';
        END IF;
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
        reason := SQLERRM;
    END;
    -- not in the block above: an INSERT in it would be a transaction of its own for each line
    IF reason IS NULL THEN
        INSERT INTO event (time, digest, host, event, domain, kind, told)
        VALUES (told_at, digest, told->>'host', told->>'event', told->>'domain', told->>'kind', told)
        ON CONFLICT DO NOTHING;
        RETURN CASE WHEN FOUND THEN told END;
    END IF;
    -- a disk that was full can leave half a line in front of a whole one
    whole := length(substring(line FROM '^(.+)\{"time":".*$')) + 1;
    INSERT INTO refused (digest, reason, line)
    VALUES (digest, reason, CASE WHEN whole IS NULL THEN line ELSE left(line, whole - 1) END)
    ON CONFLICT DO NOTHING;
    RETURN CASE WHEN whole IS NOT NULL THEN take_line(substr(line, whole)) END;
END $$;

-- What new events say of hosts and runs. Each column gets its newest, least or greatest value, whatever
-- came first. All at once: a row that is written often in one transaction grows slow.
CREATE FUNCTION fold(news jsonb[]) RETURNS void LANGUAGE sql SET search_path = mxclash AS $$
    INSERT INTO host AS h (host, version, started, stopped, newest, received)
    SELECT host, (array_agg(version ORDER BY at DESC) FILTER (WHERE event = 'started'))[1],
        max(at) FILTER (WHERE event = 'started'), max(at) FILTER (WHERE event = 'stopped'),
        max(at), now()
    FROM (SELECT told->>'host' AS host, told->>'event' AS event, told->>'version' AS version,
                 time_of(told->>'time') AS at FROM unnest(news) AS told) AS new
    GROUP BY host
    ON CONFLICT (host) DO UPDATE SET
        version = CASE WHEN excluded.started >= coalesce(h.started, '-infinity')
                       THEN excluded.version ELSE h.version END,
        started = greatest(h.started, excluded.started),
        stopped = greatest(h.stopped, excluded.stopped),
        newest = greatest(h.newest, excluded.newest),
        received = excluded.received;

    INSERT INTO run AS r (domain, kind, host, first_seen, last_seen, told, described, state, provider,
                          evidence, impact, zone, cname_target, authority, mx_queries, ended, ending)
    SELECT domain, kind, host, first_seen, max(last_seen), max(at), max(described),
        (array_agg(told->>'state' ORDER BY at DESC))[1],
        (array_agg(told->>'provider' ORDER BY at DESC))[1],
        -- a tally does not say these
        (array_agg(told->>'evidence' ORDER BY described DESC NULLS LAST))[1],
        (array_agg(told->>'impact' ORDER BY described DESC NULLS LAST))[1],
        (array_agg(told->>'zone' ORDER BY described DESC NULLS LAST))[1],
        (array_agg(told->'cname'->>'target' ORDER BY described DESC NULLS LAST))[1],
        (array_agg(told->>'authority' ORDER BY described DESC NULLS LAST))[1],
        max(mx_queries), max(ended), (array_agg(told->>'event' ORDER BY ended DESC)
                                      FILTER (WHERE ended IS NOT NULL))[1]
    FROM (SELECT told, told->>'domain' AS domain, told->>'kind' AS kind, told->>'host' AS host,
                 time_of(told->>'first_seen') AS first_seen, time_of(told->>'last_seen') AS last_seen,
                 (told->>'mx_queries')::bigint AS mx_queries, time_of(told->>'time') AS at,
                 CASE WHEN told->>'event' <> 'tally' THEN time_of(told->>'time') END AS described,
                 CASE WHEN told->>'event' IN ('cleared', 'expired') THEN time_of(told->>'time') END
                     AS ended
          FROM unnest(news) AS told WHERE is_of_conflict(told)) AS new
    GROUP BY domain, kind, host, first_seen
    ON CONFLICT (domain, kind, host, first_seen) DO UPDATE SET
        last_seen = greatest(r.last_seen, excluded.last_seen),
        told = greatest(r.told, excluded.told),
        described = greatest(r.described, excluded.described),
        (state, provider) = (SELECT newer.state, newer.provider FROM (VALUES
            (r.told, r.state, r.provider), (excluded.told, excluded.state, excluded.provider)
            ) AS newer (told, state, provider) ORDER BY newer.told DESC LIMIT 1),
        (evidence, impact, zone, cname_target, authority) = (
            SELECT newer.evidence, newer.impact, newer.zone, newer.cname_target, newer.authority
            FROM (VALUES (r.described, r.evidence, r.impact, r.zone, r.cname_target, r.authority),
                (excluded.described, excluded.evidence, excluded.impact, excluded.zone,
                 excluded.cname_target, excluded.authority)
            ) AS newer (described, evidence, impact, zone, cname_target, authority)
            ORDER BY newer.described DESC NULLS LAST LIMIT 1),
        mx_queries = greatest(r.mx_queries, excluded.mx_queries),
        ended = greatest(r.ended, excluded.ended),
        ending = CASE WHEN excluded.ended >= coalesce(r.ended, '-infinity')
                      THEN excluded.ending ELSE r.ending END;
$$;

-- What the loader calls: lines of a file, and how far it has then read it.
CREATE FUNCTION take(lines text[], read_file text, read_octets bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mxclash, pg_temp AS $$
DECLARE
    line text;
    told jsonb;
    news jsonb[];
BEGIN
    FOREACH line IN ARRAY lines LOOP
        told := take_line(line);
        IF told IS NOT NULL THEN
            news := news || ARRAY[told];
        END IF;
    END LOOP;
    PERFORM fold(news);
    INSERT INTO place (file, octets) VALUES (read_file, read_octets)
    ON CONFLICT (file) DO UPDATE SET octets = excluded.octets, read = now();
END $$;

CREATE FUNCTION places() RETURNS TABLE (file text, octets bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = mxclash, pg_temp AS $$
    SELECT file, octets FROM place
$$;

-- --- what is in conflict --------------------------------------------------------------------------

-- A run and how it stands:
--   open        its host says so
--   unsure      its host's detector started anew since, and has not told of it again
--   superseded  its host tells of it in a later run: it went on, or came back
--   cleared, expired   its host said so
--   silent      unsure for too long, or nothing of it for as long as anything is kept
CREATE VIEW run_now AS
SELECT r.*, s.status,
    CASE s.status WHEN 'cleared' THEN r.ended WHEN 'expired' THEN r.ended
                  WHEN 'superseded' THEN greatest(r.told, r.next_first_seen)
                  WHEN 'silent' THEN r.told END AS over
FROM (SELECT *, lead(first_seen) OVER (PARTITION BY domain, kind, host ORDER BY first_seen)
                AS next_first_seen FROM run) AS r
LEFT JOIN host AS h USING (host)
CROSS JOIN setting
CROSS JOIN LATERAL (SELECT CASE
    WHEN r.ended IS NOT NULL THEN r.ending
    WHEN r.next_first_seen <= r.told + setting.silent_after THEN 'superseded'
    WHEN r.next_first_seen IS NOT NULL THEN 'silent'
    WHEN r.told < now() - setting.retention THEN 'silent'
    WHEN h.started > r.told AND r.told < now() - setting.silent_after THEN 'silent'
    WHEN h.started > r.told THEN 'unsure'
    ELSE 'open' END AS status) AS s;

-- A time in which a domain was in conflict at any resolver: runs that touch, of all hosts. number
-- counts those of a domain and kind.
CREATE VIEW outage AS
WITH spans AS (
    SELECT *, coalesce(over, 'infinity') AS until FROM run_now
), marked AS (
    SELECT *, coalesce(first_seen > max(until) OVER (
        PARTITION BY domain, kind ORDER BY first_seen, host
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS is_new
    FROM spans
), numbered AS (
    SELECT *, 1 + count(*) FILTER (WHERE is_new) OVER (
        PARTITION BY domain, kind ORDER BY first_seen, host) AS number
    FROM marked
), newest AS (
    SELECT *, first_seen = max(first_seen) OVER (PARTITION BY domain, kind, number, host) AS is_last
    FROM numbered
), summed AS (
    SELECT domain, kind, number,
        min(first_seen) AS first_seen,
        (array_agg(host ORDER BY first_seen, host))[1] AS first_host,
        max(last_seen) AS last_seen,
        max(told) AS told,
        sum(mx_queries)::bigint AS mx_queries,
        count(DISTINCT host) AS hosts,
        coalesce(array_agg(host ORDER BY host) FILTER (WHERE is_last AND status = 'open'), '{}')
            AS open_at,
        coalesce(array_agg(host ORDER BY host) FILTER (WHERE is_last AND status = 'unsure'), '{}')
            AS unsure_at,
        coalesce(array_agg(host ORDER BY host) FILTER (WHERE is_last AND
            status IN ('cleared', 'expired', 'silent')), '{}') AS ended_at,
        CASE WHEN bool_or(state = 'confirmed') FILTER (WHERE is_last) THEN 'confirmed'
             ELSE 'suspected' END AS state,
        (array_agg(impact ORDER BY described DESC NULLS LAST, host))[1] AS impact,
        (array_agg(provider ORDER BY told DESC, host))[1] AS provider,
        (array_agg(cname_target ORDER BY described DESC NULLS LAST, host))[1] AS cname_target,
        (array_agg(authority ORDER BY described DESC NULLS LAST, host))[1] AS authority,
        max(ended) FILTER (WHERE status = 'cleared') AS mended,
        max(told) FILTER (WHERE is_last AND status = 'unsure') AS unsure_told,
        bool_or(status = 'expired') AS has_expired
    FROM newest GROUP BY domain, kind, number
)
SELECT domain, kind, number,
    -- where one resolver is unsure, another that saw the domain mended since knows
    CASE WHEN open_at <> '{}' THEN 'open'
         WHEN unsure_at <> '{}' AND mended > unsure_told THEN 'cleared'
         WHEN unsure_at <> '{}' THEN 'unsure'
         WHEN mended IS NOT NULL THEN 'cleared'
         WHEN has_expired THEN 'expired'
         ELSE 'silent' END AS status,
    state, impact, provider, cname_target, authority, first_seen, first_host, last_seen, told,
    mx_queries, hosts, open_at, unsure_at, ended_at,
    -- when the last resolver saw it mended; NULL while it is open anywhere
    CASE WHEN open_at = '{}' AND (unsure_at = '{}' OR mended > unsure_told) THEN mended END AS mended
FROM summed;

-- One row for a domain and kind, however many resolvers see it: the present outage, or the last one.
CREATE VIEW affected AS
SELECT DISTINCT ON (domain, kind) *, number - 1 AS outages_before
FROM outage ORDER BY domain, kind, number DESC;

-- --- what leaves ----------------------------------------------------------------------------------

-- Makes the tables of the days to come, and drops what is older than retention. The loader calls it
-- once an hour; call it as often as you like.
CREATE FUNCTION keep() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mxclash, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    day date;
    name text;
    oldest timestamptz := now() - (SELECT retention FROM setting);
    oldest_tally timestamptz := now() - (SELECT retention_of_tallies FROM setting);
BEGIN
    FOR day IN SELECT generate_series(current_date - 1, current_date + 3, '1 day') LOOP
        name := 'event_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('mxclash.' || name) IS NOT NULL;
        -- what came before its day had a table moves there
        LOCK TABLE event_undated IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING DEFAULTS)', name);
        EXECUTE format('WITH moved AS (DELETE FROM event_undated WHERE time >= %L AND time < %L '
                       'RETURNING *) INSERT INTO %I SELECT * FROM moved', day::timestamptz, (day + 1)::timestamptz, name);
        EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       name, day::timestamptz, (day + 1)::timestamptz);
    END LOOP;
    FOR name IN SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_\d{8}$'
                AND to_date(substr(c.relname, 7), 'YYYYMMDD') + 1 < oldest LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
    DELETE FROM event_undated WHERE received < oldest;
    DELETE FROM event WHERE event = 'tally' AND time < oldest_tally;
    DELETE FROM run WHERE told < oldest;
    DELETE FROM refused WHERE received < oldest;
    DELETE FROM place WHERE read < oldest;
    DELETE FROM host WHERE received < oldest;
END $$;

SELECT keep();

-- --- who may what ---------------------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mxclash FROM PUBLIC;
GRANT USAGE ON SCHEMA mxclash TO mxclash_writer, mxclash_reader;
GRANT EXECUTE ON FUNCTION take(text[], text, bigint), places(), keep() TO mxclash_writer;
GRANT SELECT ON event, run, host, refused, setting, place, run_now, outage, affected
    TO mxclash_reader;
COMMIT;
