"""What must hold of a town's database at any time: a number names one thing for ever, and a token goes where it may."""

from typing import Any

from sqlalchemy import select

from bot.storage.tables import metadata
from sandbox.patreon import Creator
from tests.fakes.town import Town

# What a row with a number of its own is, beyond what changes while it stands.
NAMES = {
    "api_tokens": ("guild_id", "digest"),
    "audit": ("at", "action", "outcome", "reason"),
    "arrivals": ("asked_at",),
    "credentials": ("patreon_user_id",),
    "holds": ("guild_id", "opened_at"),
    "hook_events": ("hook_id", "message_id"),
    "hooks": ("guild_id", "created_at"),
    "messages": ("guild_id", "body"),
    "nudges": ("campaign_id", "patreon_user_id"),
    "pendings": ("cookie_digest",),
    "reads": ("campaign_id", "started_at"),
    "runs": ("guild_id", "trigger", "began_at"),
    "role_rules": ("role_id", "campaign_id", "kind", "tier_id"),
    "states": ("digest",),
}
NUMBERS = {
    table.name: table.autoincrement_column for table in metadata.sorted_tables if table.autoincrement_column is not None
}
LATEST = 60
QUERIES = {
    name: select(number, *(number.table.c[column] for column in NAMES[name])).order_by(number.desc()).limit(LATEST)
    for name, number in NUMBERS.items()
}


class TownWatch:
    """Remembers every number that was ever seen, and whose thing it was."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._named: dict[tuple[str, int], list[Any]] = {}

    async def look(self) -> None:
        """Look at every numbered row, and at the pairs of the linked."""
        await self._look_at_numbers()
        await self._look_at_pairs()

    async def _look_at_numbers(self) -> None:
        async with self._town.app.storage.database.read() as connection:
            for name, query in QUERIES.items():
                for number, *names in (await connection.execute(query)).all():
                    if names == [None]:
                        continue  # the pair of the settings, until it is known whose it is
                    known = self._named.setdefault((name, number), names)
                    if known != names:
                        self._town.violations.append(f"the number {number} of {name} named {known} and names {names}")

    async def _look_at_pairs(self) -> None:
        town = self._town
        if not town.is_fair:
            return
        dead = await town.app.storage.credentials.list_ended()
        town.violations += [f"the pair of {patron} is marked dead, and Patreon took it" for patron, *_ in dead]
        for token in town.http.list_tokens:
            pair = town.state.oauth.find(token.reveal())
            if pair is not None and not isinstance(pair.person, Creator):
                town.violations.append(f"the token of {pair.person.full_name} was sent to a list of members")
        town.http.list_tokens.clear()
