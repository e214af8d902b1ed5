-- What an ISP asks of its fleet. As mxclash_reader: psql -d mxclash -f queries.sql, or one by one.
-- What the columns mean: schema.sql, docs/fleet.md.

SET search_path = mxclash;

-- name: open: what is in conflict now, over the fleet; first what hurts most
SELECT domain, kind, status, state, provider, impact, first_seen, mx_queries,
       cardinality(open_at) AS open_hosts, cardinality(unsure_at) AS unsure_hosts
FROM affected WHERE status IN ('open', 'unsure')
ORDER BY mx_queries DESC, domain, kind;

-- name: by-provider: open conflicts and their harm by mailbox provider
-- A domain in two kinds of conflict at a time counts its MX queries in both: here once.
SELECT coalesce(provider, '(none known)') AS provider, count(*) AS domains, sum(mx_queries) AS mx_queries
FROM (SELECT domain, max(provider) AS provider, max(mx_queries) AS mx_queries
      FROM affected WHERE status IN ('open', 'unsure') GROUP BY domain) AS domains
GROUP BY 1 ORDER BY mx_queries DESC, provider;

-- name: first-seen: which resolver met each open conflict first, and which see it now
SELECT domain, kind, first_seen, first_host, open_at, unsure_at, ended_at
FROM affected WHERE status IN ('open', 'unsure')
ORDER BY first_seen, domain, kind;

-- name: hurt-most: whose mail meets it most, and how much of that in a day
SELECT domain, max(provider) AS provider, max(impact) AS impact, max(mx_queries) AS mx_queries,
       round(max(mx_queries / greatest(extract(epoch FROM last_seen - first_seen) / 86400, 1)), 1)
           AS mx_queries_a_day
FROM affected WHERE status IN ('open', 'unsure')
GROUP BY domain ORDER BY mx_queries DESC, domain LIMIT 50;

-- name: new-this-week: what began in the last seven days, mended or not
SELECT domain, kind, status, state, provider, first_seen, first_host, hosts, mx_queries, outages_before
FROM affected WHERE first_seen > now() - interval '7 days'
ORDER BY first_seen DESC, domain, kind;

-- name: until-mended: how long domains were broken, of those that are mended, in hours
SELECT kind, coalesce(provider, '(none known)') AS provider, count(*) AS mended,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY hours))::numeric, 1) AS half_within,
       round((percentile_cont(0.9) WITHIN GROUP (ORDER BY hours))::numeric, 1) AS nine_of_ten_within
FROM (SELECT *, extract(epoch FROM mended - first_seen) / 3600 AS hours
      FROM outage WHERE status = 'cleared') AS mended_outages
GROUP BY 1, 2 ORDER BY mended DESC, kind, provider;

-- name: each-host: how every resolver stands with what is open anywhere
SELECT r.domain, r.kind, r.host, r.status, r.first_seen, r.last_seen, r.mx_queries
FROM run_now AS r JOIN affected AS a USING (domain, kind)
WHERE a.status IN ('open', 'unsure') AND r.first_seen >= a.first_seen
ORDER BY r.domain, r.kind, r.host, r.first_seen;

-- name: silent-hosts: resolvers of which no event has come for a day
-- A quiet resolver may be well: is it scraped? See docs/fleet.md.
SELECT host, version, started, stopped, newest, received
FROM host WHERE received < now() - interval '1 day'
ORDER BY received;

-- name: wrong-clocks: resolvers whose newest event is of another time than it came
SELECT host, newest, received, newest - received AS ahead
FROM host WHERE newest > received + interval '1 minute'
ORDER BY ahead DESC;

-- name: refused: lines that are no events; there should be none
SELECT received, reason, left(line, 200) AS line FROM refused ORDER BY received DESC LIMIT 50;

-- name: events-a-day: how much comes, by event
SELECT date_trunc('day', time AT TIME ZONE 'UTC') AS day, event, count(*) AS events,
       round(avg(octet_length(told::text))) AS octets_each
FROM event WHERE time > now() - interval '7 days'
GROUP BY 1, 2 ORDER BY 1 DESC, events DESC;
