-- SPDX-License-Identifier: BSD-3-Clause
-- The detector inside PowerDNS Recursor. Tested: 4.8.8 (Debian 12).
--
-- Needs libmxclash.so.1, libmxclash-prover.so.1, mxclash.ffi.h (Debian: libmxclash1,
-- libmxclash-prover1, libmxclash-dev) and a Recursor with LuaJIT, as Debian's is. In
-- /etc/powerdns/recursor.conf:
--
--     lua-dns-script=/etc/powerdns/mxclash.lua
--
-- and a folder for the log: install -d -o pdns -g pdns /var/log/pdns-recursor
-- With a script of your own, let its last line be: dofile "/etc/powerdns/mxclash.lua"
-- Its postresolve then sees each answer after this one has, but for those that are repaired.
--
-- UNTRIED: the YAML settings of 5.1 and newer (Debian 13 has 5.2) have the same as
--
--     recursor:
--       lua_dns_script: /etc/powerdns/mxclash.lua
--
-- What it can know, and what it cannot: docs/hosts.md. All threads of the Recursor have one engine
-- and one thread that proves. What the packet cache answers no script sees.

local settings = {
    -- where events go, a JSON object a line, as the module writes them.
    -- nil: they are told in the Recursor's own log
    log_file = "/var/log/pdns-recursor/mxclash.json",
    -- ask the authority afresh before a conflict is told, on a thread of its own: no query waits.
    -- false: it is told as suspected, of its kinds only cname-and-mx, and by each thread for itself;
    -- have pdns-distributes-queries=yes then
    probe = true,
    -- packets a second that this may take
    probe_rate = 10,
    -- seconds between two proofs that have to agree, and between those of a domain that stays in
    -- conflict
    confirm_after_s = 2,
    recheck_interval_s = 3600,
    -- who names an authority's servers, as "192.0.2.53" or "192.0.2.53@5353". Not this Recursor.
    -- None: the machine's own of /etc/resolv.conf, but for this machine, else the root servers
    resolvers = {},
    -- nets that are never asked, and those that may be asked though they are loopback or link-local
    do_not_ask = {},
    may_ask = {},
    -- give the MX that a confirmed cname-and-mx hides, as long as a proof has shown it
    repair = false,
    -- put an Extended DNS Error into answers to MX questions of domains in conflict
    annotate = false,
    -- octets of memory, without probe of each thread
    table_size = 16 * 1024 * 1024,
    -- seconds after which a conflict ends that nobody met, without probe one that was not renewed
    expire_after_s = 172800,
    -- domains that are never reported, each with all below it
    ignore = {},
    library = "libmxclash.so.1",
    prover_library = "libmxclash-prover.so.1",
    declarations = { "/usr/include/mxclash.ffi.h", "/usr/local/include/mxclash.ffi.h" },
}

local CNAME, MX, DNAME, RRSIG = 5, 15, 39, 46
local A, AAAA = 1, 28
-- what an alias, a mail domain and its end are seen by
local WATCHED = { [A] = true, [AAAA] = true, [CNAME] = true, [MX] = true }
local ANSWER = 1
-- more MX of one name are legal but say nothing new
local RECORDS_MAX = 64
local NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
local WALK_S = 600
-- an MX that is repaired with is proved again when so much is left of its TTL
local RENEW_S = 5
local EDE_OTHER = 0
-- as the module's: module/host/unbound/annotate.c
local ANNOTATIONS = {
    ["cname-and-mx"] =
        "cname-and-mx: a CNAME at this name hides its MX; remove, replace or move the CNAME",
    ["cname-at-apex"] =
        "cname-at-apex: this zone's own name is a CNAME and has no MX; replace the CNAME",
    ["foreign-mx"] = "foreign-mx: the MX set mixes mailbox providers; remove the foreign MX",
    ["incomplete-mx"] =
        "incomplete-mx: the MX set is not what the mailbox provider documents",
    ["spf-missing"] =
        "spf-missing: mail servers do not find the mailbox provider in the SPF record",
}
local AF_INET, AF_INET6 = 2, 10

local ffi, bit, mxclash, prover
-- what all threads have in common, and the engine in it
local shared, engine
local said = {}
-- the Recursor's own counters, by the index of the engine's
local metrics = {}
local faults, written, lost, annotated
local next_walk_s, tended_s = 0, 0
-- there is one for each way to be bogus
local bogus = {}
-- without probe: when the MX of a domain in conflict was last seen, by its text
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

local function address_text(address)
    if address.family ~= 4 and address.family ~= 6 then return nil end
    local room = ffi.new("char[64]")
    ffi.C.inet_ntop(address.family == 4 and AF_INET or AF_INET6, address.octets, room, 64)
    return ffi.string(room)
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
        "authority", quoted(address_text(e.authority)),
        "authorities_differ", e.servers == mxclash.mxclash_servers_unknown and "null"
            or tostring(e.servers == mxclash.mxclash_servers_differ),
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

-- All settings as one text: threads with the same ones share an engine, and after a reload it goes
-- on where none has changed. Without a proof it matters which thread saw what, so each has its own.
local function share_name()
    if not settings.probe then return tostring(settings) end
    local parts = {}
    for key, value in pairs(settings) do
        if type(value) == "table" then value = table.concat(value, "\31") end
        parts[#parts + 1] = key .. "\30" .. tostring(value)
    end
    table.sort(parts)
    return table.concat(parts, "\29")
end

-- A list of texts as C has it. The Lua strings are the settings', and so stay.
local function texts(list)
    return ffi.new("const char *[?]", #list + 1, list), #list
end

-- \return what the functions of the library take for options, and what must be kept meanwhile
local function engine_options()
    local options = ffi.new "struct mxclash_options"
    mxclash.mxclash_options_init(options, ffi.sizeof(options))
    options.probe = settings.probe and 1 or 0
    options.lookup = options.probe
    options.repair = settings.repair and 1 or 0
    options.probe_rate = settings.probe_rate
    options.confirm_after_s = settings.confirm_after_s
    options.recheck_interval_s = settings.recheck_interval_s
    options.queue_events = 256
    options.table_size = settings.table_size
    options.expire_after_s = settings.expire_after_s
    local ignore
    ignore, options.ignore_count = texts(settings.ignore)
    options.ignore = ignore
    return options, ignore
end

local function prover_options()
    local options = ffi.new "struct mxclash_prover_options"
    prover.mxclash_prover_options_init(options, ffi.sizeof(options))
    options.rate = settings.probe_rate
    local resolvers, do_not_ask, may_ask
    resolvers, options.resolver_count = texts(settings.resolvers)
    do_not_ask, options.do_not_ask_count = texts(settings.do_not_ask)
    may_ask, options.may_ask_count = texts(settings.may_ask)
    options.resolvers, options.do_not_ask, options.may_ask = resolvers, do_not_ask, may_ask
    return options, { resolvers, do_not_ask, may_ask }
end

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
            const char *inet_ntop(int family, const void *octets, char *text, uint32_t size);
        ]]
    end
    mxclash = ffi.load(settings.library)
    prover = ffi.load(settings.prover_library)
    assert(mxclash.mxclash_abi() == mxclash.MXCLASH_ABI and
           prover.mxclash_prover_abi() == mxclash.MXCLASH_PROVER_ABI,
           "mxclash.ffi.h is of another ABI")
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

    local options, kept = engine_options()
    local whom, kept_too = prover_options()
    local made, why = ffi.new "struct mxclash_shared *[1]",
        ffi.new("char[?]", mxclash.MXCLASH_ERROR_MAX)
    local status = prover.mxclash_shared_get(share_name(), options, whom, made, why,
                                             mxclash.MXCLASH_ERROR_MAX)
    if status ~= mxclash.mxclash_ok then
        error(why[0] ~= 0 and ffi.string(why) or "no memory")
    end
    shared = ffi.gc(made[0], prover.mxclash_shared_release)
    engine = prover.mxclash_shared_engine(shared)
    -- they had to outlive the call
    kept, kept_too = nil, nil
    local sink = settings.log_file and "file" or "host"
    written = getMetric("mxclash-events-total", 'mxclash_events_total{sink="' .. sink .. '"}')
    lost = getMetric("mxclash-events-dropped-total",
                     'mxclash_events_dropped_total{sink="' .. sink .. '"}')
    annotated = getMetric("mxclash-annotated-answers-total", "mxclash_annotated_answers_total")
end

-- Counters -------------------------------------------------------------------------------------

-- All threads add to the Recursor's counters, which have the names of our own metrics page: each step
-- comes to one of them.
local function count()
    local index = 0
    while prover.mxclash_shared_growth(shared, index, stat) do
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
            end
            if stat.value > 0 then metrics[index]:incBy(tonumber(stat.value)) end
        end
        index = index + 1
    end
end

-- One answer -----------------------------------------------------------------------------------

-- Is a record of the name that was asked, whose text is known? Each look at a name is dear, so it is
-- taken of the first of a type alone: a name has one CNAME, and all MX of an answer are of one name.
local function is_of(record, qname)
    return record.place == ANSWER and record.name:toString():lower() == qname
end

-- Note a record. \return where the next one may go
local function note(slot, at, rtype, owner, owner_len, record)
    local content = record:getContent()
    slot.type, slot.rr_class, slot.section, slot.ttl_s = rtype, 1, 1, record.ttl
    slot.owner, slot.owner_len = owner, owner_len
    slot.rdata = at
    if rtype == MX then
        local preference, exchange = content:match "^(%d+) (.+)$"
        at[0], at[1] = math.floor(preference / 256), preference % 256
        slot.rdata_len = 2 + wire(exchange, at + 2)
    else
        slot.rdata_len = wire(content, at)
    end
    return at + slot.rdata_len
end

-- The CNAME and MX at the name that was asked, which is in octets, and what a CNAME may have been made
-- from.
-- \return how many records; whether there is a CNAME, an MX, a signature
local function gather(dq, qname, qname_len)
    local found, cname, mx, signed = 0, nil, nil, nil
    local at = octets + mxclash.MXCLASH_NAME_MAX + 2
    for _, record in pairs(dq:getRecords()) do
        local rtype, wanted = record.type, false
        if found == RECORDS_MAX then
            break
        elseif rtype == CNAME and not cname then
            cname = is_of(record, qname)
            wanted = cname
        elseif rtype == MX then
            if mx == nil then mx = is_of(record, qname) end
            wanted = mx
        elseif rtype == RRSIG and not signed then
            signed = is_of(record, qname)
        elseif rtype == DNAME and record.place == ANSWER then
            local owner, owner_len = at, wire(record.name:toString(), at)
            at = note(list[found], at + owner_len, rtype, owner, owner_len, record)
            found = found + 1
        end
        if wanted then
            at = note(list[found], at, rtype, octets, qname_len, record)
            found = found + 1
        end
    end
    return found, cname or false, mx or false, signed or false
end

local function drain()
    while mxclash.mxclash_event_next(engine, event) do
        if not settings.probe then
            local open = event.type == mxclash.mxclash_opened or
                event.type == mxclash.mxclash_changed
            renewed[name_text(event.owner, event.owner_len)] = open and tonumber(event.time) or nil
        end
        tell(event)
    end
end

-- Without proofs the engine keeps a suspect as long as anything of its domain is met. Where the CNAME
-- is answered to every question nothing would show that the MX is gone: so it ends when the MX was not
-- seen for long.
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

-- What is to be done each second, if somebody asks or not.
local function tend(now)
    local now_s = math.floor(now / 1000)
    if now_s == tended_s then return end
    tended_s = now_s
    drain()
    count()
    -- or the clock was set back
    if not settings.probe and (now_s >= next_walk_s or next_walk_s - now_s > WALK_S) then
        next_walk_s = now_s + WALK_S
        walk(now)
    end
end

-- May a client get an MX that no signature stands beside? In a zone that is known not to be signed
-- everyone may; but what is said of an answer is said of the CNAME's target too, and is Insecure where
-- only that is not signed. Where nothing was found out, whoever validates by itself may not.
local function may_be_unsigned(dq, signed)
    local state = dq.validationState
    return not signed and (state == pdns.validationstates.Insecure or
        state ~= pdns.validationstates.Secure and not dq:getDH():getCD() and
            not dq:getEDNSFlag("DO"))
end

-- The standing of a name says what a proof has shown: put that into the answer, or nothing.
-- \return true if it is there
local function repair(dq)
    local before, rcode = dq:getRecords(), dq.rcode
    local done, why = pcall(function()
        dq:setRecords({})
        for i = 0, standing.mx_count - 1 do
            local mx = standing.mx[i]
            local exchange = name_text(mx.exchange, mx.exchange_len)
            dq:addAnswer(pdns.MX, mx.preference .. " " .. exchange .. (exchange ~= "." and "." or ""),
                         standing.mx_ttl_s)
        end
        dq.rcode = NOERROR
        -- it may be over before its TTL is
        dq.variable = true
    end)
    if not done then
        dq:setRecords(before)
        dq.rcode = rcode
        error(why, 0)
    end
    return true
end

-- The open conflict of the name that was asked, octets; standing is then its.
local function stands(qname_len, now)
    return mxclash.mxclash_get_standing(engine, octets, qname_len, now, standing)
end

-- What hides the MX of a confirmed conflict is replaced, while it is known what is hidden.
local function try_to_repair(dq, qname_len, signed, now)
    if standing.kind ~= mxclash.mxclash_cname_and_mx or
        standing.state ~= mxclash.mxclash_confirmed or not dq:getDH():getRD() or
        not may_be_unsigned(dq, signed) then
        return false
    end
    -- of a name that nobody asks the MX is not kept up to date
    if standing.mx_ttl_s <= RENEW_S then mxclash.mxclash_recheck(engine, octets, qname_len, now) end
    return standing.mx_count > 0 and standing.mx_ttl_s > 0 and repair(dq)
end

local function annotate(dq)
    local what = ANNOTATIONS[ffi.string(mxclash.mxclash_kind_name(standing.kind))]
    -- another's error is left where it is
    if what and (dq.extendedErrorCode or 0) == 0 and (dq.extendedErrorExtra or "") == "" then
        dq.extendedErrorCode, dq.extendedErrorExtra = EDE_OTHER, what
        annotated:inc()
    end
end

-- A client's MX question: \return true if its answer was repaired
local function answer_mx(dq, qname_len, cname, mx, signed, now)
    local failed = dq.rcode == SERVFAIL or dq.rcode == -1
    local open = stands(qname_len, now)
    -- a CNAME whose target cannot be resolved hides the MX, and the Recursor does not show it
    local hidden = not mx and (cname or
        failed and open and standing.kind == mxclash.mxclash_cname_and_mx)
    local repaired = false
    if hidden and settings.repair then
        -- what the packet cache has cannot be repaired any more
        dq.variable = true
        repaired = open and try_to_repair(dq, qname_len, signed, now)
    end
    if hidden or mx then
        local shown = mx or repaired
        mxclash.mxclash_client_mx(engine, octets, qname_len,
            shown and mxclash.mxclash_reply_shows or mxclash.mxclash_reply_hides, now)
    end
    if not settings.probe and mx and open then renewed[name_text(octets, qname_len)] = now end
    if settings.annotate and (repaired or not failed) and (open or stands(qname_len, now)) then
        annotate(dq)
    end
    return repaired
end

-- What the operator's policy or nobody's zone put there is not the authority's word.
local function is_nobodys_word(dq)
    return bogus[dq.validationState] or
        dq.appliedPolicy.policyKind ~= pdns.policykinds.NoAction
end

-- \return true if the answer is another one now
local function see(dq)
    local qtype = dq.qtype
    if not WATCHED[qtype] then return false end
    local now = now_ms()
    local qname = dq.qname:toString():lower()
    local qname_len = wire(qname, octets)
    local found, cname, mx, signed = gather(dq, qname, qname_len)
    -- without CNAME and MX an answer can only show that a conflict is over, or fail for its CNAME
    if not cname and not mx and not stands(qname_len, now) or is_nobodys_word(dq) then
        return false
    end
    local rcode = dq.rcode
    if rcode == NOERROR or rcode == NXDOMAIN then
        records.qtype, records.rcode = qtype, rcode
        records.qname, records.qname_len = octets, qname_len
        records.records, records.record_count = list, found
        -- The records come from a cache, so they count as a cache's word: it makes suspects and
        -- confirms nothing. That there is no CNAME is sure: while one is cached it is given before
        -- all else.
        records.forwarded = 1
        records.authoritative = (not cname and not mx) and 1 or 0
        mxclash.mxclash_inspect_records(engine, records, now)
    end
    local repaired = qtype == MX and answer_mx(dq, qname_len, cname, mx, signed, now)
    prover.mxclash_shared_go(shared)
    drain()
    tend(now)
    return repaired
end

-- The Recursor gives no answer at all where a script fails, so nothing of ours may.
faults = getMetric("mxclash-lua-errors-total", "mxclash_lua_errors_total")
local begun, trouble = pcall(begin)
if not begun then
    faults:inc()
    complain("cannot begin, answers go out unseen", trouble)
end

local function guarded(what, work, ...)
    if not begun then return false end
    local done, result = pcall(work, ...)
    if not done then
        faults:inc()
        complain(what, result)
    end
    return done and result
end

local before, maintenance_before = postresolve, maintenance

function postresolve(dq)
    if guarded("an answer went out unseen", see, dq) then return true end
    return before and before(dq) or false
end

-- Each second, in each thread: a proof comes to its end when nobody asks.
function maintenance()
    guarded("events wait for the next answer", function() tend(now_ms()) end)
    if maintenance_before then maintenance_before() end
end
