"""A game server's whitelist, as an example to copy from: asks Pledgekeeper who may enter, then is told what changes.

It needs PLEDGEKEEPER_URL, PLEDGEKEEPER_TOKEN (pk_...) and PLEDGEKEEPER_SECRET (whsec_...): see docs/integrate.md.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PORT = 8500
ENTITLED = {"active", "ending", "grace", "waiting", "comp"}
whitelist: set[str] = set()  # Discord user ids


def ask(path: str) -> Any:
    """Ask the API about everyone, some at a time, or about one person."""
    request = Request(f"{os.environ['PLEDGEKEEPER_URL']}/api/v1/members{path}")
    request.add_header("Authorization", f"Bearer {os.environ['PLEDGEKEEPER_TOKEN']}")
    try:
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except HTTPError as refused:
        if refused.code == 404:
            return {"standing": "unknown"}  # not in the server, or never linked
        raise


def note(user_id: str, standing: str) -> None:
    """Let somebody in, or no longer."""
    if (standing in ENTITLED) is not (user_id in whitelist):
        whitelist.symmetric_difference_update({user_id})
        print(user_id, "may enter:" if user_id in whitelist else "may not enter:", standing, flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Takes each message as a hint to ask again, so one that comes twice does no harm."""

    def do_POST(self) -> None:
        """Answer 204 when all is done; everything else is sent again."""
        body, status = self.rfile.read(int(self.headers.get("Content-Length", 0))), 204
        try:
            event = Webhook(os.environ["PLEDGEKEEPER_SECRET"]).verify(body, dict(self.headers))
            if user_id := event["data"].get("discord_user_id"):
                note(user_id, ask(f"/{user_id}")["standing"])
        except (WebhookVerificationError, OSError) as error:
            status = 503 if isinstance(error, OSError) else 400  # the API didn't answer, or it isn't from the bot
        self.send_response(status)
        self.end_headers()


def main() -> None:
    """Listen first, so that nothing is missed; ask about everyone; then do as the messages say."""
    receiver, after = HTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else PORT), Receiver), "0"
    try:
        while after is not None:
            page = ask(f"?limit=500&after={after}")
            for member in page["members"]:
                note(member["discord_user_id"], member["standing"])
            after = page["next"]
    except HTTPError as refused:
        raise SystemExit(json.load(refused)["detail"]) from None
    receiver.serve_forever()


if __name__ == "__main__":
    main()
