# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash serve` for those who want to look around: the book and the page of what the log tells."""

import urllib.error
import urllib.request

from lab import BUILD, Server, free_address, free_port


class Page(Server):
    """The page of one log. With `outlive` it goes on after the demo."""

    def __init__(self, folder, log, **options):
        address = free_address()
        super().__init__(folder, address, free_port(address), **options)
        self.log_to_follow = log

    @property
    def conf(self):
        return self.folder / "mxclash.conf"

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    def configure(self):
        self.conf.write_text(
            f'database: "{self.folder / "book.db"}"\npage-listen: {self.endpoint}\n'
        )

    def environment(self):
        return {"MXCLASH_CONF": str(self.conf)}

    def command(self):
        return [BUILD / "mxclash", "serve", "--log", self.log_to_follow]

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1) as reply:
                return reply.status == 200
        except (urllib.error.URLError, TimeoutError):
            return False
