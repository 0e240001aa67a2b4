"""A game server's whitelist, as an example to copy from: asks Pledgekeeper who may enter, and prints them.

PLEDGEKEEPER_URL=http://127.0.0.1:8403 PLEDGEKEEPER_TOKEN=pk_... .venv/bin/python sandbox/example.py
"""

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ENTITLED = {"active", "ending", "grace", "waiting", "comp"}


def list_members(url: str, token: str) -> Iterator[dict[str, Any]]:
    """Yield everyone in the server who is a patron, or has a role from the bot, page by page."""
    after = "0"
    while after is not None:
        page = f"{url}/api/v1/members?limit=500&after={after}"
        with urlopen(Request(page, headers={"Authorization": f"Bearer {token}"}), timeout=10) as answer:
            found = json.load(answer)
        yield from found["members"]
        after = found["next"]


def main() -> None:
    """Print who may enter, and why."""
    try:
        for member in list_members(os.environ["PLEDGEKEEPER_URL"], os.environ["PLEDGEKEEPER_TOKEN"]):
            if member["standing"] in ENTITLED:
                tiers = ", ".join(tier["title"] for tier in member["tiers"]) or "no tier"
                print(f"{member['discord_user_id']} may enter: {member['standing']}, {tiers}")
    except HTTPError as refused:
        raise SystemExit(json.load(refused)["detail"]) from None


if __name__ == "__main__":
    main()
