-- PowerDNS Recursor as Debian ships it, sending dnstap to mxclashd. Tested: 4.8.8.
-- Name this file in /etc/powerdns/recursor.conf: lua-config-file=/etc/powerdns/mxclash.lua
-- and let it in: adduser pdns mxclash
--
-- The Recursor sends what authorities answer, and nothing of what clients get: the harm is not
-- counted. With its YAML settings (5.1 and newer) the same is logging.dnstap_framestream_servers.
dnstapFrameStreamServer({"/run/mxclash/dnstap.sock"}, {logQueries=false, logResponses=true})
