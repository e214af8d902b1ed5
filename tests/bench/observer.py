# SPDX-License-Identifier: BSD-3-Clause
"""A module for Unbound's python host that only looks for MX and CNAME in what clients get: what
the same watch would cost, were it written so. The names in capitals are the host's."""

MX, CNAME = 15, 5
seen = {}


def init_standard(_id, _env):
    return True


def init(_id, _cfg):
    return True


def deinit(_id):
    return True


def inform_super(_id, _qstate, _superqstate, _qdata):
    return True


def look(message):
    for i in range(message.rep.an_numrrsets):
        key = message.rep.rrsets[i].rk
        rdtype = (key.type & 0xFF) << 8 | key.type >> 8
        if rdtype in (MX, CNAME):
            seen[key.dname_str] = rdtype


def operate(id, event, qstate, _qdata):
    if event in (MODULE_EVENT_NEW, MODULE_EVENT_PASS):  # noqa: F821
        qstate.ext_state[id] = MODULE_WAIT_MODULE  # noqa: F821
    elif event == MODULE_EVENT_MODDONE:  # noqa: F821
        if qstate.return_msg:
            look(qstate.return_msg)
        qstate.ext_state[id] = MODULE_FINISHED  # noqa: F821
    else:
        qstate.ext_state[id] = MODULE_ERROR  # noqa: F821
    return True
