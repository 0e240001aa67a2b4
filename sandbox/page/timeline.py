"""The live time line: what the bot did and why, gathered from its calls, its log, the webhooks and what people do.

Listens and remembers; never asks the bot anything.
"""

from collections import deque
from datetime import datetime
from itertools import islice

from sandbox.bots import Bots
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordStandIn, Interaction
from sandbox.discord.backend import Call as DiscordCall
from sandbox.page import happenings
from sandbox.page.happenings import PERSON, TROUBLE, WEBHOOK, Happening
from sandbox.page.live import Live
from sandbox.patreon import PatreonStandIn
from sandbox.patreon.standin import Call as PatreonCall
from sandbox.patreon.webhooks import Delivery

KEPT = 400
LOOKED_BACK = 6
"""A round that changes nothing repeats a handful of entries: among so many, the same thing only counts up."""
ROLE_WRITE = "/guilds/{g}/members/{u}/roles/{r}"


class Timeline:
    """What happened, the latest first."""

    def __init__(
        self, *, clock: SandboxClock, discord: DiscordStandIn, patreon: PatreonStandIn, bots: Bots, live: Live
    ) -> None:
        self.entries: deque[Happening] = deque(maxlen=KEPT)
        self._clock = clock
        self._discord = discord
        self._live = live
        discord.on_call(self._hear_discord)
        discord.interactions.on_open(self._hear_person)
        patreon.on_call(self._hear_patreon)
        patreon.deliveries.on_attempt(self._hear_webhook)
        bots.on_line(self._hear_line)

    def clear(self) -> None:
        """Begin anew."""
        self.entries.clear()

    def _add(self, happening: Happening | None) -> None:
        if happening is None:
            return
        for known in islice(self.entries, LOOKED_BACK):
            if known.is_like(happening):
                self.entries.remove(known)
                happening.count += known.count
                break
        self.entries.appendleft(happening)
        self._live.tell()

    def _now(self) -> datetime:
        return self._clock.now()

    def _hear_patreon(self, call: PatreonCall) -> None:
        self._add(happenings.of_patreon_call(call.at, call.route, call.status))

    def _hear_discord(self, call: DiscordCall) -> None:
        if call.route.endswith(ROLE_WRITE):
            self._add(self._role_write(call))
        else:
            self._add(happenings.of_discord_call(call.at, call.route, call.status))

    def _role_write(self, call: DiscordCall) -> Happening:
        _, _, guild_id, _, user_id, _, role_id = call.path.split("/")
        guild = self._discord.state.guilds.get(guild_id)
        role = guild.roles.get(role_id) if guild else None
        latest = guild.audit_log[-1] if guild and guild.audit_log else None
        is_ours = latest is not None and latest.target_id == user_id and latest.user_id == self._discord.state.bot.id
        return happenings.of_role_write(
            call.at,
            gives=call.method == "PUT",
            role=role.name if role else "a deleted role",
            member=self._name_of(user_id),
            why=(latest.reason or "") if latest and is_ours else "",
            status=call.status,
        )

    def _hear_webhook(self, delivery: Delivery, status: int) -> None:
        said = f"answered {status}" if status else "no answer"
        kind = WEBHOOK if 200 <= status < 300 else TROUBLE
        self._add(Happening(self._now(), kind, f"Patreon's webhook: {delivery.trigger}", said))

    def _hear_person(self, interaction: Interaction) -> None:
        if interaction.name:
            self._add(Happening(self._now(), PERSON, f"{self._name_of(interaction.user_id)}: {interaction.name}"))

    def _hear_line(self, line: str) -> None:
        self._add(happenings.of_log_line(self._now(), line, self._name_of_fact))

    def _name_of(self, user_id: str) -> str:
        user = self._discord.state.users.get(user_id)
        return (user.display_name or user.username) if user else f"user {user_id}"

    def _name_of_fact(self, fact: str, value: str) -> str:
        state = self._discord.state
        if fact.endswith("user_id") and value in state.users:
            return self._name_of(value)
        if fact == "guild_id" and value in state.guilds:
            return state.guilds[value].name
        return value
