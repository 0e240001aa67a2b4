"""What a broken or hostile client of Discord's sends: any option, button and menu of ours, with values that hurt.

Knows the world and the commands that the bot registered; never looks into the bot. All is drawn from one seed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from sandbox.discord import interaction, permissions
from sandbox.discord.forms import commands, components
from sandbox.discord.interaction import Interaction
from sandbox.discord.model import COMPONENTS_V2, EPHEMERAL
from sandbox.discord.objects import channel_json, member_facts, role_json, user_json
from sandbox.discord.standin import DiscordStandIn
from sandbox.discord.state import Channel, DiscordState, Guild, Json, Message, Role, User

BRANCHES = (commands.SUBCOMMAND, commands.GROUP)
PRESSED = (components.BUTTON, components.STRING_SELECT, components.ROLE_SELECT)
MOST_OF_AN_ID = 100  # signs of a custom_id
ENDS = "confirm:disconnect"  # it ends all that there is to damage: drawn, but not remembered
PANEL_IDS = 1000  # of the container of a panel: which draft it shows

# fmt: off
TEXTS = (
    "", " ", "   ", "\t\n\r", "\u200b", "\u3000", "\x00", "a\x00b", "\ufeff", "x" * 6000, "ü" * 6000, "🦊" * 3000,
    "\u202eevil\u202c", "مرحبا بالعالم", "👩‍👩‍👧‍👦", "Z̸̡̛͎̺͗a̵͚̓l̷̰̃g̶̱̈́o̸̗͝" * 20,
    "**bold** __u__ ~~s~~ ||x|| `c`", "```\n" * 40, "[a](https://evil.example)",
    "@everyone", "@here", "<@&1>", "<@1>", "<#1>", "</link:1>", "<t:99999999999999:R>", "{0}", "{incident}", "%s%n%d",
    "'; DROP TABLE rules; --", "1 OR 1=1", '" OR ""="', "../../etc/passwd", "${jndi:x}", "null", "None", "undefined",
    "-0", "0", "-1", "1", "2", "3", "#1", "#2: x", "+1", "1e400", "1e3", "NaN", "Infinity", "-inf", "0x10", "1_000",
    "1,000", "1.000,00", "5", "5.00", "5,00", "0.01", "0,001", "10 000", "1000000", "9999999.99",
    "\u0663", "\u0663\u0660d", "²", "½", "③", "१२", "\U0001d7d9", "5 €", "$5",  # digits that aren't ASCII's
    str(2**31), str(2**53), str(2**63 - 1), str(2**63), str(2**64), "9" * 18, "9" * 19, "9" * 5000, "-" + "9" * 30,
    "never", "NEVER ", "0d", "1d", "30d", "3650d", "9999d", "30 d", "-5d", "1.5d", "d", "\u0663d",
    "2027-01-31", "2027-02-30", "2027-13-01", "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "2027-1-1",
    "\u0662\u0660\u0662\u0667-\u0660\u0661-\u0663\u0661", "2024-02-29", "31.01.2027", "2027-01-31T00:00:00Z",
    "2027-W01-1", "true", "yes", "keep", "remove", "sync", "off", "automatic", "de", "xx-YY", "any",
)
NUMBERS = (
    0, 1, -1, 2, 3, 12, 30, 50, 89, 90, 91, 100, 101, 600, 601, 365, 3650, -(2**31), 2**31 - 1, 2**31, 2**53,
    2**53 + 1, -(2**53), 2**63 - 1, 2**63, -(2**63), 2**64 - 1,
)
# fmt: on


@dataclass(frozen=True)
class Cast:
    """Who is there to act, and to be acted upon."""

    managers: tuple[User, ...]  # who may do what admins may
    others: tuple[User, ...]  # patrons and strangers of the server
    absent: tuple[User, ...]  # whom Discord knows, and the server does not
    gone_roles: tuple[Role, ...]  # deleted, or of another server


@dataclass(frozen=True)
class Shot:
    """One interaction as a client sends it."""

    kind: int
    user: User
    channel: Channel
    data: Json
    by_manager: bool
    source: Message | None = None

    @property
    def path(self) -> str:
        """What it is about: "/patreon rule add", or a button's id."""
        if self.kind == interaction.COMPONENT:
            return str(self.data["custom_id"])
        return interaction.name_of(interaction.COMMAND, self.data)

    def __str__(self) -> str:
        where = "a DM" if self.channel.guild_id is None else "the server"
        shown = {key: value for key, value in self.data.items() if key != "resolved"}
        return f"{interaction.KINDS[self.kind]} by {self.user.username} in {where}: {shown!r:.900}"


@dataclass
class Fuzz:
    """Draws shots, and fires them past the checks that Discord's own client makes."""

    discord: DiscordStandIn
    guild: Guild
    cast: Cast
    random: Random
    prefixes: tuple[str, ...]  # of buttons and menus
    known: tuple[str, ...] = ()  # ids of tiers, campaigns, rules and what else may be typed
    leaves: list[tuple[Json, tuple[Json, ...]]] = field(default_factory=list)
    seen_ids: list[str] = field(default_factory=list)  # of buttons and menus that were shown
    _first: list[Callable[[], Shot]] = field(default_factory=list)
    panels: list[int] = field(default_factory=list)  # what tells which draft the newest panel shows

    def __post_init__(self) -> None:
        self.leaves = [leaf for command in self.discord.commands() for leaf in find_leaves(command)]
        self._first = [
            *(partial(self._typed, interaction.COMMAND, leaf) for leaf in self.leaves),
            *(partial(self._press, prefix) for prefix in self.prefixes),
        ]
        self.random.shuffle(self._first)

    @property
    def state(self) -> DiscordState:
        """The world."""
        return self.discord.state

    def draw(self) -> Shot:
        """Draw one more: each command and each button at least once, then any."""
        if self._first:
            return self._first.pop()()
        what = self.random.choices((self._command, self._completion, self._press), (60, 10, 30))[0]
        return what()

    def fire(self, shot: Shot) -> Interaction:
        """Send it to the bot."""
        return self.discord.interactions.open(shot.kind, shot.user, shot.channel, data=shot.data, source=shot.source)

    def notice(self, message: Message) -> None:
        """Remember which buttons and menus a message has, to press them out of place."""
        shown = list(components.walk(message.components))
        ids = [one["custom_id"] for one in shown if one.get("custom_id")]
        self.seen_ids += [one for one in ids if not one.startswith(ENDS)]
        del self.seen_ids[:-300]
        self.panels = [one["id"] for one in shown if one["type"] == components.CONTAINER] or self.panels

    # --- who and where

    def _actor(self) -> tuple[User, Channel, bool]:
        is_manager = self.random.random() < 0.75
        user = self.random.choice(self.cast.managers if is_manager else self.cast.others)
        if self.random.random() < 0.08:
            return user, self.state.dm_channel(user), False
        channel = self.random.choice(list(self.guild.channels.values()))
        return user, channel, is_manager

    # --- commands

    def _command(self) -> Shot:
        return self._typed(
            interaction.COMMAND, self.random.choices(self.leaves, [1 + len(o) for _, o in self.leaves])[0]
        )

    def _completion(self) -> Shot:
        completed = [leaf for leaf in self.leaves if any(one.get("autocomplete") for one in leaf[1])]
        return self._typed(interaction.AUTOCOMPLETE, self.random.choice(completed))

    def _typed(self, kind: int, leaf: tuple[Json, tuple[Json, ...]]) -> Shot:
        skeleton, options = leaf
        user, channel, is_manager = self._actor()
        resolved: Json = {}
        filled = [self._option(one, resolved) for one in options if self._is_given(one)]
        if kind == interaction.AUTOCOMPLETE:
            focused = self.random.choice([one["name"] for one in options if one.get("autocomplete")])
            filled = [one for one in filled if one["name"] != focused]
            filled.append({"name": focused, "type": commands.STRING, "value": self._text(), "focused": True})
        if self.random.random() < 0.04:
            filled.append({"name": "nobody-knows-it", "type": commands.STRING, "value": self._text()})
        data = _with_options(skeleton, filled)
        return Shot(kind, user, channel, data | ({"resolved": resolved} if resolved else {}), is_manager)

    def _is_given(self, option: Json) -> bool:
        return self.random.random() < (0.96 if option.get("required") else 0.45)

    def _option(self, option: Json, resolved: Json) -> Json:
        draw: dict[int, Callable[[], Any]] = {
            commands.STRING: lambda: self._word(option),
            commands.INTEGER: lambda: self.random.choice((*NUMBERS, *self._edges(option))),
            commands.NUMBER: lambda: float(self.random.choice(NUMBERS[:20])),
            commands.BOOLEAN: lambda: self.random.random() < 0.5,
            commands.USER: lambda: self._user(resolved),
            commands.ROLE: lambda: self._role(resolved),
            commands.CHANNEL: lambda: self._channel(resolved),
            commands.MENTIONABLE: lambda: self._role(resolved),
        }
        return {"name": option["name"], "type": option["type"], "value": draw[option["type"]]()}

    def _edges(self, option: Json) -> Iterable[int]:
        low, high = option.get("min_value", 0), option.get("max_value", 100)
        return int(low) - 1, int(low), int(high), int(high) + 1

    def _word(self, option: Json) -> str:
        offered = [str(choice["value"]) for choice in option.get("choices") or []]
        if offered and self.random.random() < 0.75:
            return self.random.choice(offered)
        return self._text()

    def _text(self) -> str:
        chance = self.random.random()
        if chance < 0.6:
            return self.random.choice(TEXTS)
        if chance < 0.7:
            return self.random.choice(TEXTS) + self.random.choice(TEXTS)[:200]
        if chance < 0.8:
            roles = self.random.sample([*self.guild.roles, *(one.id for one in self.cast.gone_roles)], k=3)
            return " ".join(f"<@&{one}>" for one in roles[: self.random.randint(1, 3)])
        some = (str(self.random.randint(1, 60)), str(self.random.randint(1, 2000)))
        return self.random.choice((*self.known, *some, *some, *self.guild.roles, *self.state.guilds))

    # --- people, roles, channels

    def _user(self, resolved: Json) -> str:
        user = self.random.choice((*self.cast.managers, *self.cast.others, *self.cast.absent, self.state.bot))
        if self.random.random() < 0.04:
            return user.id  # of which the client tells nothing
        resolved.setdefault("users", {})[user.id] = user_json(user)
        member = self.guild.members.get(user.id)
        if member is not None:
            facts = member_facts(member) | {"permissions": str(permissions.BOT_DEFAULT)}
            resolved.setdefault("members", {})[user.id] = facts
        return user.id

    def _role(self, resolved: Json) -> str:
        role = self.random.choice((*self.guild.roles.values(), *self.cast.gone_roles))
        if self.random.random() < 0.96:
            resolved.setdefault("roles", {})[role.id] = role_json(role)
        return role.id

    def _channel(self, resolved: Json) -> str:
        channel = self.random.choice([one for guild in self.state.guilds.values() for one in guild.channels.values()])
        if self.random.random() < 0.96:
            shown = channel_json(self.state, channel) | {"permissions": str(permissions.BOT_DEFAULT)}
            resolved.setdefault("channels", {})[channel.id] = shown
        return channel.id

    # --- buttons and menus

    def _press(self, prefix: str | None = None) -> Shot:
        user, channel, is_manager = self._actor()
        custom_id, kind = self._custom_id(prefix), self.random.choice(PRESSED)
        component: Json = {"type": kind, "id": 2, "custom_id": custom_id}
        data: Json = {"custom_id": custom_id, "component_type": kind, "id": 2}
        if kind == components.BUTTON:
            component |= {"style": 2, "label": "Press"}
        else:
            component |= {"min_values": 1, "max_values": 1}
            data["values"] = [self._chosen() for _ in range(self.random.choice((0, 1, 1, 1, 2, 25)))]
        if kind == components.STRING_SELECT:
            component["options"] = [{"label": "One", "value": "one"}]
        if kind == components.ROLE_SELECT:
            data["resolved"] = {"roles": {one.id: role_json(one) for one in self.guild.roles.values()}}
        return Shot(interaction.COMPONENT, user, channel, data, is_manager, self._message(user, channel, component))

    def _message(self, user: User, channel: Channel, component: Json) -> Message:
        """Make a message of the bot's with this below it."""
        now = self.state.clock.now()
        message = Message(
            self.state.ids.at(now), channel.id, self.state.bot.id, now, content="Before.", flags=EPHEMERAL
        )
        message.only_for = user.id
        message.components = [{"type": components.ROW, "id": 1, "components": [component]}]
        if component["custom_id"].startswith("setup:"):
            self._turn_into_panel(message)
        channel.messages[message.id] = message
        return message

    def _turn_into_panel(self, message: Message) -> None:
        """Draw it as a layout: what stands on a message is the bot's word, and no client's."""
        message.content, message.flags = "", EPHEMERAL | COMPONENTS_V2
        text = {"type": components.TEXT, "id": 3, "content": "Before."}
        generation = self.random.choice((*self.panels, *self.panels, PANEL_IDS, PANEL_IDS + 1, 9))
        message.components = [
            {"type": components.CONTAINER, "id": generation, "components": [text, *message.components]}
        ]

    def _custom_id(self, prefix: str | None) -> str:
        if prefix is None and self.seen_ids and self.random.random() < 0.3:
            return self.random.choice(self.seen_ids)
        prefix = prefix or self.random.choice(self.prefixes)
        parts = [self._argument() for _ in range(self.random.choice((0, 1, 1, 1, 2, 3, 4, 5, 6, 7)))]
        separator = self.random.choice((":", ":", ":", "-", ","))
        return (f"{prefix}:{separator.join(parts)}" if parts else prefix)[:MOST_OF_AN_ID]

    def _argument(self) -> str:
        if self.random.random() < 0.3:
            return self.random.choice(
                ("", "1", "2", "tier", "any_pledge", "newer", "older", "0", "keep", "end-1", "p1")
            )
        return self._text()

    def _chosen(self) -> str:
        return self.random.choice((self._text(), *self.guild.roles, "any", "active", "c", "p1", "d1", "p", "yes", "7"))


def find_leaves(command: Json) -> list[tuple[Json, tuple[Json, ...]]]:
    """Return each thing that can be typed of a command: the interaction's data without options, and the options."""
    root: Json = {"id": command["id"], "name": command["name"], "type": 1}
    if command.get("guild_id"):
        root["guild_id"] = command["guild_id"]
    return [(root | ({"options": [step]} if step else {}), options) for step, options in _below(command)]


def _below(definition: Json) -> list[tuple[Json, tuple[Json, ...]]]:
    options = definition.get("options") or []
    if not any(one["type"] in BRANCHES for one in options):
        return [({}, tuple(options))]
    found = []
    for one in options:
        for step, inner in _below(one):
            found.append(({"name": one["name"], "type": one["type"], "options": [step] if step else []}, inner))
    return found


def _with_options(skeleton: Json, filled: list[Json]) -> Json:
    """Return a copy of a leaf's data with its options filled in."""
    inner = skeleton.get("options")
    if not inner:
        return skeleton | {"options": filled}
    return skeleton | {"options": [_with_options(inner[0], filled)]}
