-- SPDX-License-Identifier: BSD-3-Clause
-- The detector inside PowerDNS Recursor. Tested: 4.8.8 (Debian 12).
--
-- Needs libmxclash.so.1, mxclash.ffi.h (Debian: libmxclash1, libmxclash-dev) and a Recursor with
-- LuaJIT, as Debian's is. In /etc/powerdns/recursor.conf:
--
--     lua-dns-script=/etc/powerdns/mxclash.lua
--     pdns-distributes-queries=yes
--
-- and a folder for the log: install -d -o pdns -g pdns /var/log/pdns-recursor
-- With a script of your own, let its last line be: dofile "/etc/powerdns/mxclash.lua"
-- Its postresolve then sees each answer after this one has.
--
-- UNTRIED: the YAML settings of 5.1 and newer (Debian 13 has 5.2) have the same as
--
--     recursor:
--       lua_dns_script: /etc/powerdns/mxclash.lua
--     incoming:
--       pdns_distributes_queries: true
--
-- What it can know, and what it cannot: docs/hosts.md. Each thread of the Recursor has a Lua of its
-- own, so an engine of its own: table_size counts for each. Distributed, the same name comes to the
-- same thread. What its packet cache answers no script sees.

local settings = {
    -- where events go, a JSON object a line, as the module writes them; several threads share it.
    -- nil: they are told in the Recursor's own log
    log_file = "/var/log/pdns-recursor/mxclash.json",
    -- put an Extended DNS Error into answers to MX questions of domains in conflict
    annotate = false,
    -- octets of memory of each thread
    table_size = 16 * 1024 * 1024,
    -- seconds after which a suspicion ends that was not renewed
    expire_after_s = 172800,
    -- domains that are never reported, each with all below it
    ignore = {},
    library = "libmxclash.so.1",
    declarations = { "/usr/include/mxclash.ffi.h", "/usr/local/include/mxclash.ffi.h" },
}

local CNAME, MX, DNAME = 5, 15, 39
local A, AAAA = 1, 28
local ANSWER = 1
-- more MX of one name are legal but say nothing new
local RECORDS_MAX = 64
local WALK_S = 600
local EDE_OTHER = 0
local ANNOTATION =
    "cname-and-mx: a CNAME at this name hides its MX; remove, replace or move the CNAME"

local ffi, bit, mxclash, engine
local said = {}
-- engine's counters: what each was when it was last told to the Recursor, and the Recursor's own
local told, metrics = {}, {}
local faults, written, lost, annotated
local next_walk_s, counted_s = 0, 0
-- there is one for each way to be bogus
local bogus = {}
-- when the MX of a domain in conflict was last seen, by its text
local renewed = {}
-- room that is used again for each answer
local list, octets, records, event, standing, stat, text, len, clock

-- Of one sort of trouble the first is said; all are counted.
local function complain(what, why)
    if not said[what] then
        said[what] = true
        pdnslog("mxclash: " .. what .. ": " .. tostring(why), pdns.loglevels.Error)
    end
end

local function now_ms()
    ffi.C.gettimeofday(clock, nil)
    return tonumber(clock.seconds) * 1000 + math.floor(tonumber(clock.microseconds) / 1000)
end

local function wire(name, room)
    if mxclash.mxclash_name_from_text(name, room, len) ~= mxclash.mxclash_ok then
        error("no name: " .. name)
    end
    return tonumber(len[0])
end

-- The text of a wire name, nil if there is none.
local function name_text(name, name_len)
    if name_len == 0 then return nil end
    mxclash.mxclash_name_to_text(name, name_len, text)
    return ffi.string(text)
end

-- JSON -----------------------------------------------------------------------------------------

-- Names and tags are printable ASCII.
local function quoted(value)
    return value and '"' .. value:gsub('[\\"]', "\\%0") .. '"' or "null"
end

local function time_text(ms)
    ms = tonumber(ms)
    return os.date('!"%Y-%m-%dT%H:%M:%S', math.floor(ms / 1000)) ..
        string.format('.%03dZ"', ms % 1000)
end

local function known(value)
    return value < 0 and "null" or tostring(value == 1)
end

local function host_name()
    local room = ffi.new("char[256]")
    return ffi.C.gethostname(room, 255) == 0 and ffi.string(room) or nil
end

-- As module/output/json.c has it, member for member.
local function json(e)
    local mx, advice = {}, {}
    for i = 0, e.mx_count - 1 do
        mx[#mx + 1] = string.format('{"preference":%d,"exchange":%s}', e.mx[i].preference,
                                    quoted(name_text(e.mx[i].exchange, e.mx[i].exchange_len)))
    end
    for i = 0, mxclash.MXCLASH_ADVICES - 1 do
        local one = bit.lshift(1, i)
        if bit.band(e.advice, one) ~= 0 then
            advice[#advice + 1] = quoted(ffi.string(mxclash.mxclash_advice_name(one)))
        end
    end
    local target = name_text(e.cname_target, e.cname_target_len)
    local spf = mxclash.mxclash_spf_name(e.spf)
    local provider = ffi.string(e.provider)
    local members = {
        "time", time_text(e.time),
        "event", quoted(ffi.string(mxclash.mxclash_event_type_name(e.type))),
        "domain", quoted(name_text(e.owner, e.owner_len)),
        "kind", quoted(ffi.string(mxclash.mxclash_kind_name(e.kind))),
        "state", quoted(ffi.string(mxclash.mxclash_state_name(e.state))),
        "evidence", quoted(ffi.string(mxclash.mxclash_evidence_name(e.evidence))),
        "apex", known(e.apex),
        "zone", quoted(name_text(e.zone, e.zone_len)),
        "cname", target and string.format('{"target":%s,"ttl":%d}', quoted(target), e.cname_ttl)
            or "null",
        "mx", "[" .. table.concat(mx, ",") .. "]",
        "provider", quoted(provider ~= "" and provider or nil),
        "impact", quoted(ffi.string(mxclash.mxclash_impact_name(e.impact))),
        "hides_spf", known(e.hides_spf),
        "spf", quoted(spf ~= nil and ffi.string(spf) or nil),
        -- the Recursor does not tell who answered
        "authority", "null",
        "authorities_differ", "null",
        "first_seen", time_text(e.first_seen),
        "last_seen", time_text(e.last_seen),
        "mx_queries", string.format("%d", tonumber(e.mx_queries)),
        "advice", "[" .. table.concat(advice, ",") .. "]",
        "host", quoted(host_name()),
        "held_back", string.format("%d", e.held_back),
    }
    local parts = {}
    for i = 1, #members, 2 do
        parts[#parts + 1] = quoted(members[i]) .. ":" .. members[i + 1]
    end
    return "{" .. table.concat(parts, ",") .. "}"
end

-- Opened for each event, of which there are few: so it may be rotated at any time. The line goes
-- out in one write, so that threads do not write into each other's.
local function tell(e)
    local line = json(e)
    if not settings.log_file then
        pdnslog("mxclash: " .. line, pdns.loglevels.Notice)
        written:inc()
        return
    end
    local file, why = io.open(settings.log_file, "a")
    local done = file ~= nil
    if done then
        file:setvbuf("full", 65536)
        done, why = file:write(line, "\n")
        local closed, why_not = file:close()
        done, why = done and closed, why or why_not
    end
    if done then
        written:inc()
    else
        lost:inc()
        complain("log_file " .. settings.log_file .. " cannot be written, events are lost", why)
    end
end

-- The engine -----------------------------------------------------------------------------------

local function begin()
    ffi, bit = require "ffi", require "bit"
    for name, state in pairs(pdns.validationstates) do
        if name:find "^Bogus" then bogus[state] = true end
    end
    local declared
    for _, path in ipairs(settings.declarations) do
        local file = io.open(path)
        if file then
            declared = file:read "*a"
            file:close()
            break
        end
    end
    -- where a Lua is used anew, as after a reload, they may be there already
    if not pcall(ffi.typeof, "struct mxclash_options") then
        assert(declared, "no mxclash.ffi.h at " .. table.concat(settings.declarations, ", "))
        ffi.cdef(declared)
        ffi.cdef [[
            struct mxclash_lua_clock { long seconds, microseconds; };
            int gettimeofday(struct mxclash_lua_clock *now, void *zone);
            int gethostname(char *name, size_t size);
        ]]
    end
    mxclash = ffi.load(settings.library)
    assert(mxclash.mxclash_abi() == mxclash.MXCLASH_ABI, "mxclash.ffi.h is of another ABI")
    list = ffi.new("struct mxclash_record[?]", RECORDS_MAX)
    octets = ffi.new("uint8_t[?]", (2 * RECORDS_MAX + 1) * (mxclash.MXCLASH_NAME_MAX + 2))
    records = ffi.new "struct mxclash_records"
    event = ffi.new "struct mxclash_event"
    standing = ffi.new "struct mxclash_standing"
    stat = ffi.new "struct mxclash_stat"
    for _, struct in ipairs { records, event, standing, stat } do
        struct.struct_size = ffi.sizeof(struct)
    end
    text = ffi.new("char[?]", mxclash.MXCLASH_NAME_TEXT_MAX)
    len = ffi.new "size_t[1]"
    clock = ffi.new "struct mxclash_lua_clock"

    local options = ffi.new "struct mxclash_options"
    mxclash.mxclash_options_init(options, ffi.sizeof(options))
    -- a script cannot ask an authority without making a client wait
    options.probe = 0
    options.queue_events = 64
    options.table_size = settings.table_size
    options.expire_after_s = settings.expire_after_s
    options.ignore_count = #settings.ignore
    local ignore = ffi.new("const char *[?]", #settings.ignore + 1, settings.ignore)
    options.ignore = ignore
    local random = assert(io.open("/dev/urandom", "rb"))
    local seed = random:read(8)
    random:close()
    ffi.copy(ffi.cast("uint8_t *", options) + ffi.offsetof(options, "seed"), seed, 8)
    local made, why = ffi.new "struct mxclash_engine *[1]",
        ffi.new("char[?]", mxclash.MXCLASH_ERROR_MAX)
    if mxclash.mxclash_engine_new(options, made, why, mxclash.MXCLASH_ERROR_MAX) ~=
        mxclash.mxclash_ok then
        error(ffi.string(why))
    end
    engine = ffi.gc(made[0], mxclash.mxclash_engine_free)
    local sink = settings.log_file and "file" or "host"
    written = getMetric("mxclash-events-total", 'mxclash_events_total{sink="' .. sink .. '"}')
    lost = getMetric("mxclash-events-dropped-total",
                     'mxclash_events_dropped_total{sink="' .. sink .. '"}')
    annotated = getMetric("mxclash-annotated-answers-total", "mxclash_annotated_answers_total")
end

-- Counters -------------------------------------------------------------------------------------

-- All threads add to the Recursor's counters, which have the names of our own metrics page.
local function count()
    local index = 0
    while mxclash.mxclash_get_stat(engine, index, stat) do
        if stat.is_counter == 1 then
            if not metrics[index] then
                local name = ffi.string(stat.name)
                local short, labels = name, {}
                for _, pair in ipairs { { stat.label, stat.label_value },
                                        { stat.label_2, stat.label_2_value } } do
                    if pair[1] ~= nil then
                        local value = ffi.string(pair[2])
                        short = short .. "-" .. value
                        labels[#labels + 1] = string.format('%s="%s"', ffi.string(pair[1]), value)
                    end
                end
                if #labels > 0 then name = name .. "{" .. table.concat(labels, ",") .. "}" end
                metrics[index] = getMetric(short:gsub("_", "-"), name)
                told[index] = 0
            end
            local value = tonumber(stat.value)
            if value > told[index] then metrics[index]:incBy(value - told[index]) end
            told[index] = value
        end
        index = index + 1
    end
end

-- One answer -----------------------------------------------------------------------------------

-- The CNAME and MX at the name that was asked, and what a CNAME may have been made from.
-- \return how many records, whether there is a CNAME, an MX
local function gather(dq, qname)
    local found, cname, mx = 0, false, false
    local at = octets + mxclash.MXCLASH_NAME_MAX + 2
    for _, record in pairs(dq:getRecords()) do
        local rtype = record.type
        if record.place == ANSWER and found < RECORDS_MAX and
            (rtype == DNAME or (rtype == CNAME or rtype == MX) and
                record.name:toString():lower() == qname) then
            local slot, content = list[found], record:getContent()
            slot.type, slot.rr_class, slot.section, slot.ttl_s = rtype, 1, 1, record.ttl
            slot.owner = at
            slot.owner_len = wire(record.name:toString(), at)
            at = at + slot.owner_len
            slot.rdata = at
            if rtype == MX then
                local preference, exchange = content:match "^(%d+) (.+)$"
                at[0], at[1] = math.floor(preference / 256), preference % 256
                slot.rdata_len = 2 + wire(exchange, at + 2)
            else
                slot.rdata_len = wire(content, at)
            end
            at = at + slot.rdata_len
            found = found + 1
            cname, mx = cname or rtype == CNAME, mx or rtype == MX
        end
    end
    return found, cname, mx
end

local function drain()
    while mxclash.mxclash_event_next(engine, event) do
        local domain = name_text(event.owner, event.owner_len)
        local open = event.type == mxclash.mxclash_opened or event.type == mxclash.mxclash_changed
        renewed[domain] = open and tonumber(event.time) or nil
        tell(event)
    end
end

-- The engine keeps a suspect as long as anything of its domain is met. Where the CNAME is answered
-- to every question nothing would show that the MX is gone: so it ends when the MX was not seen for
-- long.
local function walk(now)
    local cursor = ffi.new "struct mxclash_cursor"
    local open, over = {}, {}
    while mxclash.mxclash_next_open(engine, cursor, event) do
        local domain = name_text(event.owner, event.owner_len)
        open[domain] = renewed[domain] or tonumber(event.first_seen)
        if now - open[domain] > settings.expire_after_s * 1000 then
            over[#over + 1] = domain
            event.type, event.time = mxclash.mxclash_expired, now
            tell(event)
        end
    end
    for _, domain in ipairs(over) do
        open[domain] = nil
        mxclash.mxclash_forget(engine, octets, wire(domain, octets))
    end
    renewed = open
end

local function see(dq)
    -- what the operator's policy or nobody's zone put there is not the authority's word
    if dq.appliedPolicy.policyKind ~= pdns.policykinds.NoAction or
        bogus[dq.validationState] then
        return
    end
    local now = now_ms()
    local qname = dq.qname:toString():lower()
    local qname_len = wire(qname, octets)
    local found, cname, mx = gather(dq, qname)
    local qtype, rcode = dq.qtype, dq.rcode

    records.qtype, records.rcode = qtype, rcode
    records.qname, records.qname_len = octets, qname_len
    records.records, records.record_count = list, found
    -- The records come from a cache, so they count as a cache's word: it makes suspects and
    -- confirms nothing. That there is no CNAME is sure: while one is cached it is given before all
    -- else.
    records.forwarded = 1
    records.authoritative = (rcode == 0 and not cname and not mx and
        (qtype == A or qtype == AAAA or qtype == CNAME or qtype == MX)) and 1 or 0
    if rcode == 0 then
        mxclash.mxclash_inspect_records(engine, records, now)
        if qtype == MX and (cname or mx) then
            mxclash.mxclash_client_mx(engine, octets, qname_len,
                mx and mxclash.mxclash_reply_shows or mxclash.mxclash_reply_hides, now)
        end
    end
    drain()
    if qtype == MX and rcode == 0 and
        mxclash.mxclash_get_standing(engine, octets, qname_len, now, standing) and
        standing.kind == mxclash.mxclash_cname_and_mx then
        if mx then renewed[name_text(octets, qname_len)] = now end
        -- another's error is left where it is
        if settings.annotate and (dq.extendedErrorCode or 0) == 0 and
            (dq.extendedErrorExtra or "") == "" then
            dq.extendedErrorCode, dq.extendedErrorExtra = EDE_OTHER, ANNOTATION
            annotated:inc()
        end
    end
    local now_s = math.floor(now / 1000)
    if now_s ~= counted_s then
        counted_s = now_s
        count()
    end
    -- or the clock was set back
    if now_s >= next_walk_s or next_walk_s - now_s > WALK_S then
        next_walk_s = now_s + WALK_S
        walk(now)
    end
end

-- The Recursor gives no answer at all where a script fails, so nothing of ours may.
faults = getMetric("mxclash-lua-errors-total", "mxclash_lua_errors_total")
local begun, trouble = pcall(begin)
if not begun then
    faults:inc()
    complain("cannot begin, answers go out unseen", trouble)
end

local before = postresolve

function postresolve(dq)
    if begun then
        local done, why = pcall(see, dq)
        if not done then
            faults:inc()
            complain("an answer went out unseen", why)
        end
    end
    return before and before(dq) or false
end
