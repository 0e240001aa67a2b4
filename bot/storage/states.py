"""OAuth states: who asked for a link, and whether the answer still counts. The state itself is stored nowhere."""

import enum
from datetime import datetime
from typing import Any, NewType

import msgspec
from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import ChannelId, DiscordUserId, GuildId, Secret
from bot.storage.database import Database
from bot.storage.rows import columns_of, to_json
from bot.storage.tables import pendings, states
from bot.vault import Vault

StateId = NewType("StateId", int)
UNANSWERED = "pending"  # the status of a pending link whose question is open; pendings.py names them all


class Purpose(enum.StrEnum):
    """What a state is for; one never serves for the other."""

    LINK = "link"
    CONNECT = "connect"


class StateProblem(enum.StrEnum):
    """Why a state was refused."""

    USED = "used"
    EXPIRED = "expired"  # or voided by a newer one
    UNKNOWN = "unknown"


class ButtonKind(enum.StrEnum):
    """What kind of message carries the link button."""

    DM = "dm"
    REPLY = "reply"


class ButtonPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The message that carries the link button, so that it can be edited later.

    A DM is known by channel and message, an ephemeral reply by application and interaction token.
    """

    kind: ButtonKind
    channel_id: ChannelId | None = None
    message_id: int | None = None
    application_id: int | None = None
    token: Secret | None = None


class StateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it is asked: who typed the command, where, and until when an answer counts."""

    digest: str
    purpose: Purpose
    discord_user_id: DiscordUserId
    username: str
    display_name: str = ""
    avatar_url: str | None = None
    guild_id: GuildId | None = None
    guild_name: str = ""
    guild_icon_url: str | None = None
    locale: str = "en"
    created_at: datetime
    expires_at: datetime


class State(StateRow, frozen=True, kw_only=True):
    """A question as it is stored."""

    state_id: StateId
    used_at: datetime | None = None
    voided_at: datetime | None = None
    button: ButtonPlace | None = None


class States:
    """Every state of the last day."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def create(self, asked: StateRow) -> StateId:
        """Store a question; older ones of this person for this purpose are void from now on."""
        add = insert(states).values(msgspec.structs.asdict(asked)).returning(states.c.state_id)
        async with self._database.write() as connection:
            await void_questions(connection, asked.discord_user_id, at=asked.created_at, purpose=asked.purpose)
            return StateId((await connection.execute(add)).scalar_one())

    async def use(self, state_digest: str, purpose: Purpose, at: datetime) -> State | StateProblem:
        """Use a state up, in one statement: of two that try at once, one wins.

        It is looked at first: anybody may send states as fast as they like, and those that are not open cost no write.
        """
        asked = (states.c.digest == state_digest, states.c.purpose == purpose)
        is_open = (states.c.used_at.is_(None), states.c.voided_at.is_(None), states.c.expires_at > at)
        async with self._database.read() as connection:
            if (await connection.execute(select(states.c.state_id).where(*asked, *is_open))).first() is None:
                return await _explain(connection, *asked)
        async with self._database.write() as connection:
            take = update(states).where(*asked, *is_open).values(used_at=at).returning(states)
            row = (await connection.execute(take)).first()
            return await _explain(connection, *asked) if row is None else self.read(row)

    async def find(self, state_id: StateId) -> State | None:
        """Return a state by its id."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(states).where(states.c.state_id == state_id))).first()
        return None if row is None else self.read(row)

    async def attach_button(self, state_id: StateId, place: ButtonPlace) -> None:
        """Remember which message carries the button of this state."""
        bare = msgspec.structs.replace(place, token=None)
        sealed = None if place.token is None else self._vault.seal(place.token)
        statement = update(states).where(states.c.state_id == state_id)
        async with self._database.write() as connection:
            await connection.execute(statement.values(button=to_json(bare), button_token_sealed=sealed))

    async def purge(self, before: datetime) -> None:
        """Forget the states that were made before a moment, and what hangs on them."""
        async with self._database.write() as connection:
            await connection.execute(delete(states).where(states.c.created_at < before))

    def read(self, row: Row[Any]) -> State:
        """Build a state from a row that holds its columns, perhaps beside those of another table."""
        columns = columns_of(row)
        columns["button"] = None
        state = msgspec.convert(columns, State)
        if row.button is None:
            return state
        place = msgspec.json.decode(row.button, type=ButtonPlace)
        if row.button_token_sealed is not None:
            place = msgspec.structs.replace(place, token=self._vault.open(row.button_token_sealed))
        return msgspec.structs.replace(state, button=place)


async def _explain(connection: AsyncConnection, *asked: ColumnElement[bool]) -> StateProblem:
    row = (await connection.execute(select(states.c.used_at).where(*asked))).first()
    if row is None:
        return StateProblem.UNKNOWN
    return StateProblem.EXPIRED if row.used_at is None else StateProblem.USED


async def void_questions(
    connection: AsyncConnection, discord_user_id: DiscordUserId, *, at: datetime, purpose: Purpose = Purpose.LINK
) -> None:
    """Void what a person asked and did not answer, here or at Patreon, inside a transaction that the caller began."""
    theirs = (states.c.discord_user_id == discord_user_id, states.c.purpose == purpose)
    is_open = (states.c.used_at.is_(None), states.c.voided_at.is_(None))
    await connection.execute(update(states).where(*theirs, *is_open).values(voided_at=at))
    asked = select(states.c.state_id).where(*theirs)
    unanswered = pendings.c.state_id.in_(asked) & (pendings.c.status == UNANSWERED)
    await connection.execute(delete(pendings).where(unanswered))
