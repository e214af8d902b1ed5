# SPDX-License-Identifier: BSD-3-Clause
"""Mail on loopback: a real Postfix that resolves through a given resolver, and hosts that take it.

Postfix asks the C library, which reads /etc/resolv.conf and knows port 53 only. That file is not
changed: Postfix gets a mount namespace of its own (unshare(1)), in which another file lies over it.
Nobody else sees that, and it ends with the process. Everything else of Postfix's is in one folder:
configuration, queue, log. It never reads /etc/postfix, and no service of the system is touched.
"""

import contextlib
import grp
import os
import pwd
import shutil
import smtplib
import socketserver
import subprocess
import tempfile
import threading
from collections import namedtuple
from pathlib import Path

from lab import ANSWER_TIMEOUT_S, SEARCH_PATH, Server, free_address, free_port

SMTP_PORT = 25
RESOLV_CONF = Path("/etc/resolv.conf")
OWNER = "postfix"
QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)
# What a message on its way out needs: it comes by SMTP, so nothing of the local delivery.
SERVICES = """\
{listen} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
# The file is bound over the real one, where a link may lead; then Postfix takes the process over.
IN_NAMESPACE = 'mount --bind "$1" "$2" && exec "$3" -c "$4" -d'

Message = namedtuple("Message", "recipient body")


def mail_missing():
    """Why no Postfix of our own can run here, as a sentence, or None."""
    if os.geteuid() != 0:
        return "Postfix wants root, for its own user and for port 25"
    if not shutil.which("postconf", path=SEARCH_PATH):
        return "Postfix is not installed"
    if not RESOLV_CONF.exists():
        return f"there is no {RESOLV_CONF} over which another could be laid"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["unshare", "--mount", "mount", "--bind", folder, folder],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return f"no mount namespace may be made here: {done.stderr.strip()}"
    return None


class _Session(socketserver.StreamRequestHandler):
    """Enough of RFC 5321 to take messages from Postfix."""

    timeout = ANSWER_TIMEOUT_S

    def reply(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        recipient = None
        self.reply(f"220 {self.server.name} takes everything")
        with contextlib.suppress(TimeoutError):
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb == "RCPT":
                    recipient = line.split("<")[1].split(">")[0]
                if verb == "DATA":
                    self.reply("354 go on")
                    self.server.messages.append(Message(recipient, self.read_body()))
                self.reply("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

    def read_body(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.decode())
        return "".join(lines)


class MailHost(socketserver.ThreadingTCPServer):
    """A host that takes every message and keeps it in `messages`. A context manager."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, name):
        self.name = name
        self.messages = []
        self.address = free_address(SMTP_PORT)
        super().__init__((self.address, SMTP_PORT), _Session)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join(ANSWER_TIMEOUT_S)
        self.server_close()


class Postfix(Server):
    """One Postfix that resolves through `resolver`, an Unbound on port 53.

    Its folder is a new one: those of tests are for their owner alone, but Postfix changes its user.
    """

    def __init__(self, resolver):
        address = free_address()
        super().__init__(tempfile.mkdtemp(prefix="mxclash-postfix-"), address, free_port(address))
        self.folder.chmod(0o755)
        self.resolver = resolver
        self.queue = self.folder / "queue"
        self.data = self.folder / "data"
        self.mail_log = self.folder / "mail.log"

    def configure(self):
        owner = pwd.getpwnam(OWNER)
        self.queue.mkdir()
        self.data.mkdir()
        os.chown(self.data, owner.pw_uid, owner.pw_gid)
        for name in QUEUES:
            (self.queue / name).mkdir(mode=0o700)
            os.chown(self.queue / name, owner.pw_uid, owner.pw_gid)
        (self.queue / "public").chmod(0o710)
        os.chown(self.queue / "public", owner.pw_uid, grp.getgrnam("postdrop").gr_gid)
        (self.queue / "pid").mkdir()
        (self.folder / "resolv.conf").write_text(
            f"nameserver {self.resolver.address}\noptions timeout:2 attempts:2\n"
        )
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.queue,
            "data_directory": self.data,
            "maillog_file": self.mail_log,
            "maillog_file_prefixes": self.folder,
            "mail_owner": OWNER,
            "myhostname": "mta.sender.test",
            # Everything is somebody else's mail.
            "mydestination": "",
            "local_recipient_maps": "",
            "alias_maps": "",
            # It must name an interface; where Postfix listens stands in master.cf.
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "smtpd_peername_lookup": "no",
            "smtp_tcp_port": SMTP_PORT,
            "smtp_connect_timeout": "5s",
            # Each message its own connection.
            "smtp_connection_cache_on_demand": "no",
        }
        (self.folder / "main.cf").write_text(
            "".join(f"{key} = {value}\n" for key, value in settings.items())
        )
        (self.folder / "master.cf").write_text(
            SERVICES.format(listen=f"{self.address}:{self.port}")
        )

    def command(self):
        done = subprocess.run(
            [shutil.which("postconf", path=SEARCH_PATH), "-h", "-d", "daemon_directory"],
            capture_output=True,
            text=True,
            check=True,
        )
        resolv_conf = self.folder / "resolv.conf"
        # A session of its own: at its end master ends all that is in its process group.
        return [
            *("setsid", "unshare", "--mount", "sh", "-c", IN_NAMESPACE, "sh"),
            *(str(resolv_conf), str(RESOLV_CONF.resolve())),
            *(f"{done.stdout.strip()}/master", str(self.folder)),
        ]

    def is_ready(self):
        try:
            with smtplib.SMTP(self.address, self.port, timeout=1) as client:
                return client.noop()[0] == 250
        except OSError:
            return False

    @property
    def log(self):
        return super().log + (self.mail_log.read_text() if self.mail_log.exists() else "")

    def send(self, recipient, subject):
        """Hand in a message, which is delivered afterwards."""
        with smtplib.SMTP(self.address, self.port, timeout=ANSWER_TIMEOUT_S) as client:
            client.sendmail("sender@sender.test", [recipient], f"Subject: {subject}\r\n\r\nHello.\r\n")

    def stop(self):
        status = super().stop()
        shutil.rmtree(self.folder)
        return status


def members(pid):
    """The processes of the session that pid leads."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == pid:
                found.append(int(path.parent.name))
    return found

