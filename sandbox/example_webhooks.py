"""A game server that is told who may enter, as an example to copy from: takes webhooks, verifies and prints them.

PLEDGEKEEPER_SECRET=whsec_... .venv/bin/python sandbox/example_webhooks.py
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PORT = 8500
seen: set[str] = set()  # ids of messages: one whose answer was lost comes again


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 for what is verified, 400 for everything else."""

    def do_POST(self) -> None:
        """Take one message."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            event = Webhook(os.environ["PLEDGEKEEPER_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_error(400)
            return
        if self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            print(
                event["type"], event["data"].get("discord_user_id", ""), event["data"].get("standing", ""), flush=True
            )
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else PORT), Receiver).serve_forever()
