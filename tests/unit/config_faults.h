/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Bad configuration files without NUL, and what the fault says behind FILE.
 */
#ifndef TESTS_UNIT_CONFIG_FAULTS_H
#define TESTS_UNIT_CONFIG_FAULTS_H

static const struct {
    const char *text;
    const char *fault;
} config_faults[] = {
    /* dnstap-listen */
    {"dnstap-listen: 192.0.2.1@6000\n",
     ":1: dnstap-listen: \"192.0.2.1@6000\" is no loopback address; whoever reaches it could make "
     "up "
     "answers, so write the path of a unix socket, or a loopback address such as 127.0.0.1@6000"},
    {"dnstap-listen: 0.0.0.0@6000\n",
     ":1: dnstap-listen: \"0.0.0.0@6000\" is no loopback address; whoever reaches it could make up "
     "answers, so write the path of a unix socket, or a loopback address such as 127.0.0.1@6000"},
    {"dnstap-listen: /run/a\ndnstap-listen: /run/a\n",
     ":2: dnstap-listen: \"/run/a\" stands here twice; take one out"},
    {"dnstap-listen: /run/a\ndnstap-listen: \"\"\n",
     ":2: dnstap-listen: \"\" means none, but a line above gives another value; keep only one of "
     "the "
     "two"},
    /* keys */
    {"prob: yes\n", ":1: unknown key \"prob\"; did you mean probe?"},
    {"\n\nPROBE-RATE: 1\n", ":3: unknown key \"PROBE-RATE\"; did you mean probe-rate?"},
    {"repiar: yes", ":1: unknown key \"repiar\"; did you mean repair?"},
    {"http_listen: ::1@80", ":1: unknown key \"http_listen\"; did you mean http-listen?"},
    {"logfile: \"/a\"", ":1: unknown key \"logfile\"; did you mean log-file?"},
    {"ignore: x", ":1: unknown key \"ignore\"; mxclash.conf(5) lists the keys"},
    {"server:\n", ":1: unknown key \"server\"; mxclash.conf(5) lists the keys"},
    {"\033[31m: x\n", ":1: octet 0x1b in column 1; the file is plain text without control octets"},
    {"r\303\251pair: x\n", ":1: unknown key \"r\\195\\169pair\"; did you mean repair?"},
    {"probe yes\n", ":1: no colon right behind \"probe\"; write key: value"},
    {"probe : yes\n", ":1: no colon right behind \"probe\"; write key: value"},
    {"probe\n", ":1: no colon right behind \"probe\"; write key: value"},
    {"probe#: yes\n", ":1: no colon right behind \"probe\"; write key: value"},
    {": yes\n", ":1: no key at \": yes\"; write key: value"},
    {"\"probe\": yes\n", ":1: no key at \"\"probe\": yes\"; write key: value"},
    {"probe: yes\nlog-host: no\nprobe: yes\n", ":3: probe: stands in line 1 already; take one out"},
    {"repair: no\nrepair: no\n", ":2: repair: stands in line 1 already; take one out"},
    {"log-file: \"\"\nlog-file: \"\"\n", ":2: log-file: stands in line 1 already; take one out"},
    /* the clause */
    {"mxclash: probe: yes\n", ":1: text behind mxclash:; write each key in a line of its own"},
    {"probe: yes\nmxclash:\n", ":2: mxclash: stands below other lines; it may head the file, once"},
    {"mxclash:\nmxclash:\n", ":2: mxclash: stands below other lines; it may head the file, once"},
    {"mxclash\n", ":1: no colon right behind \"mxclash\"; write key: value"},
    /* values as such */
    {"probe:\n", ":1: probe: no value; write one such as yes"},
    {"probe: # yes\n", ":1: probe: no value; write one such as yes"},
    {"log-file:", ":1: log-file: no value; write one such as \"/var/log/unbound/mxclash.json\""},
    {"ignore-domain:\r\n", ":1: ignore-domain: no value; write one such as example.org"},
    {"probe: yes no\n", ":1: probe: \"no\" behind the value; only a comment may follow it, and a "
                        "value with blanks needs quotes"},
    {"probe: \"yes\"no\n", ":1: probe: \"no\" behind the value; only a comment may follow it, and "
                           "a value with blanks needs quotes"},
    {"probe: yes repair: yes\n", ":1: probe: \"repair: yes\" behind the value; only a comment may "
                                 "follow it, and a value with blanks needs quotes"},
    {"log-file: \"/var/log\n", ":1: log-file: no quote behind \"/var/log\"; end the value with \""},
    {"log-file: '/var/log\"\n",
     ":1: log-file: no quote behind \"/var/log\"\"; end the value with '"},
    {"log-file: \"\\\"\n", ":1: log-file: no quote behind \"\\\"\"; end the value with \""},
    {"log-file: /a\"b\"\n",
     ":1: log-file: quote inside of \"/a\"b\"\"; put the whole value between quotes"},
    /* flags */
    {"probe: on\n", ":1: probe: \"on\" is neither yes nor no"},
    {"probe: Yes\n", ":1: probe: \"Yes\" is neither yes nor no"},
    {"probe: \"\"\n", ":1: probe: \"\" is neither yes nor no"},
    {"probe: \" yes\"\n", ":1: probe: \" yes\" is neither yes nor no"},
    {"log-host: yes\nannotate: 1\n", ":2: annotate: \"1\" is neither yes nor no"},
    /* numbers */
    {"probe-rate: 0\n", ":1: probe-rate: \"0\" is out of range; write a number from 1 to 100000"},
    {"probe-rate: 100001\n",
     ":1: probe-rate: \"100001\" is out of range; write a number from 1 to 100000"},
    {"probe-rate: -1\n", ":1: probe-rate: \"-1\" is no number; write one from 1 to 100000"},
    {"probe-rate: +1\n", ":1: probe-rate: \"+1\" is no number; write one from 1 to 100000"},
    {"probe-rate: 1.5\n", ":1: probe-rate: \"1.5\" is no number; write one from 1 to 100000"},
    {"probe-rate: 0x10\n", ":1: probe-rate: \"0x10\" is no number; write one from 1 to 100000"},
    {"probe-rate: \"\"\n", ":1: probe-rate: \"\" is no number; write one from 1 to 100000"},
    {"retention-days: 0\n",
     ":1: retention-days: \"0\" is out of range; write a number from 1 to 36500"},
    {"retention-days: 36501\n",
     ":1: retention-days: \"36501\" is out of range; write a number from 1 to 36500"},
    {"recheck-interval: 604801\n",
     ":1: recheck-interval: \"604801\" is out of range; write a number from 1 to 604800"},
    {"expire-after: 59\n",
     ":1: expire-after: \"59\" is out of range; write a number from 60 to 31536000"},
    {"top-domains: 10001\n",
     ":1: top-domains: \"10001\" is out of range; write a number from 0 to 10000"},
    /* would be 1 if it were cut to 32 or 64 bits */
    {"probe-rate: 4294967297\n",
     ":1: probe-rate: \"4294967297\" is out of range; write a number from 1 to 100000"},
    {"probe-rate: 18446744073709551617\n",
     ":1: probe-rate: \"18446744073709551617\" is out of range; write a number from 1 to 100000"},
    /* sizes */
    {"table-size: 16x\n",
     ":1: table-size: \"16x\" is no size; write octets, or a number with k, m or g such as 16m"},
    {"table-size: m\n",
     ":1: table-size: \"m\" is no size; write octets, or a number with k, m or g such as 16m"},
    {"table-size: 16mbb\n",
     ":1: table-size: \"16mbb\" is no size; write octets, or a number with k, m or g such as 16m"},
    {"table-size: \"16 m\"\n",
     ":1: table-size: \"16 m\" is no size; write octets, or a number with k, m or g such as 16m"},
    {"table-size: \"\"\n",
     ":1: table-size: \"\" is no size; write octets, or a number with k, m or g such as 16m"},
    {"table-size: 255k\n",
     ":1: table-size: \"255k\" is out of range; write a size from 256k to 64g"},
    {"table-size: 262143\n",
     ":1: table-size: \"262143\" is out of range; write a size from 256k to 64g"},
    {"table-size: 65g\n", ":1: table-size: \"65g\" is out of range; write a size from 256k to 64g"},
    {"table-size: 68719476737\n",
     ":1: table-size: \"68719476737\" is out of range; write a size from 256k to 64g"},
    /* 2^34 g is 2^64 octets */
    {"table-size: 17179869184g\n",
     ":1: table-size: \"17179869184g\" is out of range; write a size from 256k to 64g"},
    /* paths */
    {"log-file: mxclash.json\n", ":1: log-file: \"mxclash.json\" is no absolute path; begin it "
                                 "with /, or write \"\" for none"},
    {"database: ~/x.db\n",
     ":1: database: \"~/x.db\" is no absolute path; begin it with /, or write \"\" for none"},
    {"provider-file: a\n",
     ":1: provider-file: \"a\" is no absolute path; begin it with /, or write \"\" for none"},
    {"ignore-file: a\n",
     ":1: ignore-file: \"a\" is no absolute path; begin it with /, or write \"\" for none"},
    {"log-file: /var/log/\n", ":1: log-file: \"/var/log/\" names a folder; name a file in it"},
    {"ignore-file: /nowhere/at/all\n",
     ":1: ignore-file: cannot read \"/nowhere/at/all\": No such file or directory"},
    {"ignore-file: /proc\n", ":1: ignore-file: cannot read \"/proc\": Is a directory"},
    {"provider-file: # none\n",
     ":1: provider-file: no value; write one such as \"/etc/unbound/mxclash.providers\""},
    {"provider-file: \"\"\nprovider-file: \"\"\n",
     ":2: provider-file: stands in line 1 already; take one out"},
    {"\nprovider-file: /nowhere/at/all\n",
     ":2: provider-file: cannot read \"/nowhere/at/all\": No such file or directory"},
    {"provider-file: /proc\n", ":1: provider-file: cannot read \"/proc\": Is a directory"},
    /* listeners */
    {"http-listen: 127.0.0.1\n",
     ":1: http-listen: \"127.0.0.1\" has no port; write 127.0.0.1@9853"},
    {"http-listen: ::1\n", ":1: http-listen: \"::1\" has no port; write ::1@9853"},
    {"http-listen: 127.0.0.1:9853\n",
     ":1: http-listen: \"127.0.0.1:9853\" has no @; write address@port such as 127.0.0.1@9853, "
     "the absolute path of a unix socket, or \"\" for none"},
    {"http-listen: mx.sock\n",
     ":1: http-listen: \"mx.sock\" has no @; write address@port such as 127.0.0.1@9853, the "
     "absolute path of a unix socket, or \"\" for none"},
    {"http-listen: 127.0.0.1@0\n",
     ":1: http-listen: \"127.0.0.1@0\" has a bad port; write one from 1 to 65535 behind the @"},
    {"http-listen: 127.0.0.1@65536\n",
     ":1: http-listen: \"127.0.0.1@65536\" has a bad port; write one from 1 to 65535 behind the @"},
    {"http-listen: 127.0.0.1@\n",
     ":1: http-listen: \"127.0.0.1@\" has a bad port; write one from 1 to 65535 behind the @"},
    {"http-listen: ::1@80x\n",
     ":1: http-listen: \"::1@80x\" has a bad port; write one from 1 to 65535 behind the @"},
    {"http-listen: localhost@9853\n",
     ":1: http-listen: \"localhost@9853\" has a bad address; write an IPv4 or IPv6 address without "
     "brackets, such as 127.0.0.1@9853 or ::1@9853"},
    {"http-listen: [::1]@9853\n",
     ":1: http-listen: \"[::1]@9853\" has a bad address; write an IPv4 or IPv6 address without "
     "brackets, such as 127.0.0.1@9853 or ::1@9853"},
    {"http-listen: @9853\n",
     ":1: http-listen: \"@9853\" has a bad address; write an IPv4 or IPv6 address without "
     "brackets, such as 127.0.0.1@9853 or ::1@9853"},
    {"http-listen: 1.2.3@80\n",
     ":1: http-listen: \"1.2.3@80\" has a bad address; write an IPv4 or IPv6 address without "
     "brackets, such as 127.0.0.1@9853 or ::1@9853"},
    {"http-listen: /run/\n", ":1: http-listen: \"/run/\" names a folder; name a file in it"},
    {"http-listen: \"\"\nhttp-listen: ::1@80\n",
     ":2: http-listen: a line above says \"\", which means none; keep only one of the two"},
    {"http-listen: ::1@80\nhttp-listen: \"\"\n",
     ":2: http-listen: \"\" means none, but a line above gives another value; keep only one of "
     "the two"},
    {"http-listen: ::1@80\nhttp-listen: ::1@80\n",
     ":2: http-listen: \"::1@80\" stands here twice; take one out"},
    {"http-listen: ::1@80\nhttp-listen: 0:0:0:0:0:0:0:1@80\n",
     ":2: http-listen: \"::1@80\" stands here twice; take one out"},
    {"http-listen: 127.0.0.1@09853\n\nhttp-listen: 127.0.0.1@9853\n",
     ":3: http-listen: \"127.0.0.1@9853\" stands here twice; take one out"},
    /* each list has its own first line */
    {"page-listen: \"\"\nhttp-listen: ::1@80\npage-listen: ::1@80\n",
     ":3: page-listen: a line above says \"\", which means none; keep only one of the two"},
    {"http-listen: ::ffff:127.0.0.1@9853\n",
     ":1: http-listen: \"::ffff:127.0.0.1@9853\" is an IPv4 address in the form of IPv6; write "
     "127.0.0.1@9853"},
    {"http-listen: ::FFFF:c000:201@080\n",
     ":1: http-listen: \"::FFFF:c000:201@080\" is an IPv4 address in the form of IPv6; write "
     "192.0.2.1@80"},
    /* names */
    {"resolver: 192.0.2.53@0\n", ":1: resolver: \"192.0.2.53@0\" is no address; write one such as "
                                 "192.0.2.53 or 192.0.2.53@5353"},
    {"resolver: dns.example\n", ":1: resolver: \"dns.example\" is no address; write one such as "
                                "192.0.2.53 or 192.0.2.53@5353"},
    {"do-not-ask: 10.0.0.1/8\n", ":1: do-not-ask: \"10.0.0.1/8\" is no net, or has bits behind its "
                                 "length; write one such as 10.0.0.0/8 or 2001:db8::/32"},
    {"may-ask: 127.0.0.0/33\n", ":1: may-ask: \"127.0.0.0/33\" is no net, or has bits behind its "
                                "length; write one such as 10.0.0.0/8 or 2001:db8::/32"},
    {"page-host: 127.0.0.1:9854/\n\npage-host: a..b\n",
     ":3: page-host: \"a..b\" is no domain name; write one such as example.org"},
    {"ignore-domain: a..b\n",
     ":1: ignore-domain: \"a..b\" is no domain name; write one such as example.org"},
    {"ignore-domain: \"\"\n",
     ":1: ignore-domain: \"\" is no domain name; write one such as example.org"},
    {"ignore-domain: a\\\n",
     ":1: ignore-domain: \"a\\\" is no domain name; write one such as example.org"},
    {"ignore-domain: a\\256\n",
     ":1: ignore-domain: \"a\\256\" is no domain name; write one such as example.org"},
    {"ignore-domain: b\303\274cher.example\n", ":1: ignore-domain: \"b\\195\\188cher.example\" is "
                                               "not ASCII; write its A-labels (xn--...)"},
    /* octets */
    {"# a\x01\n", ":1: octet 0x01 in column 4; the file is plain text without control octets"},
    {"probe: yes\rrepair: yes\n",
     ":1: octet 0x0d in column 11; the file is plain text without control octets"},
    {"\n# \x7f\n", ":2: octet 0x7f in column 3; the file is plain text without control octets"},
    {"# \xe9t\xe9\n", ":1: octet 0xe9 in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \xc0\x80\n", ":1: octet 0xc0 in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \xe0\x9f\xbf\n", ":1: octet 0xe0 in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \xed\xa0\x80\n", ":1: octet 0xed in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \xf4\x90\x80\x80\n", ":1: octet 0xf4 in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \xf0\x8f\xbf\xbf\n", ":1: octet 0xf0 in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \xf8\x88\x80\x80\x80\n", ":1: octet 0xf8 in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \xe2\x82", ":1: octet 0xe2 in column 3 is no UTF-8; save the file as UTF-8"},
    {"# \x80\n", ":1: octet 0x80 in column 3 is no UTF-8; save the file as UTF-8"},
    {"probe: yes\n\xff", ":2: octet 0xff in column 1 is no UTF-8; save the file as UTF-8"},
    {"\n\xef\xbb\xbfprobe: yes\n",
     ":2: unknown key \"\\239\\187\\191probe\"; mxclash.conf(5) lists the keys"},
};

#endif
