-- SPDX-License-Identifier: BSD-3-Clause
-- A host in LuaJIT: a CNAME and an MX in one answer, as records; what is open; the event.
-- usage: host.lua FFI-HEADER LIBRARY
local ffi = require "ffi"
ffi.cdef(assert(io.open(arg[1])):read "*a")
local mxclash = ffi.load(arg[2])

local function name(text)
    local octets, len = ffi.new("uint8_t[255]"), ffi.new("size_t[1]")
    assert(mxclash.mxclash_name_from_text(text, octets, len) == mxclash.mxclash_ok)
    return octets, tonumber(len[0])
end

local options = ffi.new "struct mxclash_options"
mxclash.mxclash_options_init(options, ffi.sizeof(options))
options.queue_events = 10
options.seed = 42
local engine, complaint = ffi.new "struct mxclash_engine *[1]", ffi.new("char[?]", mxclash.MXCLASH_ERROR_MAX)
options.probe_rate = 0
assert(mxclash.mxclash_engine_new(options, engine, complaint, mxclash.MXCLASH_ERROR_MAX) ==
       mxclash.mxclash_invalid)
print(ffi.string(complaint))
options.probe_rate = 10
assert(mxclash.mxclash_engine_new(options, engine, complaint, mxclash.MXCLASH_ERROR_MAX) ==
       mxclash.mxclash_ok)
engine = ffi.gc(engine[0], mxclash.mxclash_engine_free)

local owner, owner_len = name "shop.example"
local target, target_len = name "www.cdn.example"
local exchange, exchange_len = name "mx.mail.example"
local mx = ffi.new("uint8_t[?]", 2 + exchange_len)
mx[1] = 5
ffi.copy(mx + 2, exchange, exchange_len)
local list = ffi.new("struct mxclash_record[2]", {
    {owner = owner, owner_len = owner_len, type = 5, rr_class = 1, ttl_s = 600, section = 1,
     rdata = target, rdata_len = target_len},
    {owner = owner, owner_len = owner_len, type = 15, rr_class = 1, ttl_s = 600, section = 1,
     rdata = mx, rdata_len = 2 + exchange_len},
})
local records = ffi.new "struct mxclash_records"
records.struct_size = ffi.sizeof(records)
records.qtype, records.authoritative = 15, 1
records.qname, records.qname_len = owner, owner_len
records.records, records.record_count = list, 2
records.server.family, records.server.port, records.server.octets = 4, 53, {192, 0, 2, 53}
assert(mxclash.mxclash_inspect_records(engine, records, 1767323045678LL) == mxclash.mxclash_ok)

local event = ffi.new "struct mxclash_event"
local text = ffi.new("char[?]", mxclash.MXCLASH_NAME_TEXT_MAX)
event.struct_size = ffi.sizeof(event)
while mxclash.mxclash_event_next(engine, event) do
    mxclash.mxclash_name_to_text(event.owner, event.owner_len, text)
    print(ffi.string(mxclash.mxclash_event_type_name(event.type)),
          ffi.string(mxclash.mxclash_state_name(event.state)),
          ffi.string(mxclash.mxclash_kind_name(event.kind)), ffi.string(text),
          event.mx_count, event.authority.octets[0])
end
local cursor, open = ffi.new "struct mxclash_cursor", 0
while mxclash.mxclash_next_open(engine, cursor, event) do open = open + 1 end
print("open", open)
local stat = ffi.new "struct mxclash_stat"
stat.struct_size = ffi.sizeof(stat)
local i = 0
while mxclash.mxclash_get_stat(engine, i, stat) do
    if ffi.string(stat.name) == "mxclash_conflicts_opened_total" and stat.value > 0 then
        print(ffi.string(stat.name), ffi.string(stat.label_value), tonumber(stat.value))
    end
    i = i + 1
end
