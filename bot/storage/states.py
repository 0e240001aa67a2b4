"""OAuth states: who asked for a link, and whether the answer still counts. The state itself is stored nowhere."""

import enum
from datetime import datetime
from typing import Any, NewType

import msgspec
from sqlalchemy import ColumnElement, Executable, Row, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.consent import Purpose
from bot.domain.model import ChannelId, DiscordUserId, GuildId, Secret
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.rows import columns_of, to_json
from bot.storage.tables import pendings, states
from bot.storage.vault import Vault

StateId = NewType("StateId", int)
UNANSWERED = "pending"  # the status of a pending link whose question is open; pendings.py names them all
_IS_UNDER_WAY = (states.c.landing.is_(None), states.c.voided_at.is_(None))


class TooManyOpen(Exception):
    """Somebody has asked for so many links that no more is made before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


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
    cookie_digest: str | None = None  # of the answer that used it up
    landing: str | None = None  # JSON: what came of that answer; None while Patreon is asked
    voided_at: datetime | None = None
    button: ButtonPlace | None = None


class States(Aggregate):
    """Every state of the last day."""

    def __init__(self, database: Database, vault: Vault) -> None:
        super().__init__(database)
        self._vault = vault

    @transaction
    async def create(self, connection: AsyncConnection, asked: StateRow, *, most_open: int | None = None) -> StateId:
        """Store a question; older ones of this person for this purpose are void from now on.

        Raises TooManyOpen, and changes nothing, where so many of theirs are open. A void one counts as open until its
        time is over, for whatever purpose it was: else each new one would make room for itself.
        """
        add = insert(states).values(msgspec.structs.asdict(asked)).returning(states.c.state_id)
        if most_open is not None:
            await _require_room(connection, asked, most_open)
        await void_questions(connection, asked.discord_user_id, at=asked.created_at, purpose=asked.purpose)
        return StateId((await connection.execute(add)).scalar_one())

    async def use(
        self, state_digest: str, purpose: Purpose, at: datetime, *, cookie_digest: str | None = None
    ) -> State | StateProblem:
        """Use a state up, in one statement: of two that try at once, one wins, and its answer's cookie is noted.

        It is looked at first: anybody may send states as fast as they like, and those that are not open cost no write.
        """
        asked = (states.c.digest == state_digest, states.c.purpose == purpose)
        is_open = (states.c.used_at.is_(None), states.c.voided_at.is_(None), states.c.expires_at > at)
        async with self._database.read() as connection:
            if (await connection.execute(select(states.c.state_id).where(*asked, *is_open))).first() is None:
                return await _explain(connection, *asked)
        take = update(states).where(*asked, *is_open).values(used_at=at, cookie_digest=cookie_digest)
        return await self._take(take.returning(states), asked)

    @transaction
    async def _take(
        self, connection: AsyncConnection, take: Executable, asked: tuple[ColumnElement[bool], ...]
    ) -> State | StateProblem:
        row = (await connection.execute(take)).first()
        return await _explain(connection, *asked) if row is None else self.read(row)

    async def find(self, state_id: StateId) -> State | None:
        """Return a state by its id."""
        return await self._find(states.c.state_id == state_id)

    async def find_digest(self, state_digest: str, purpose: Purpose) -> State | None:
        """Return a state as the callback knows it, used or not."""
        return await self._find(states.c.digest == state_digest, states.c.purpose == purpose)

    @transaction
    async def conclude(self, connection: AsyncConnection, state_id: StateId, landing: str) -> bool:
        """Note what came of the answer; False where that is known already, or a newer question took the place."""
        return await note_landing(connection, state_id, landing)

    @transaction
    async def give_up(self, connection: AsyncConnection, landing: str, *, before: datetime | None = None) -> None:
        """Note what comes of the answers in whose midst a process ended: of all, or of those that came before then."""
        came = states.c.used_at.is_not(None) if before is None else states.c.used_at < before
        is_cut_off = (came, *_IS_UNDER_WAY)
        await connection.execute(update(states).where(*is_cut_off).values(landing=landing))

    @transaction
    async def attach_button(self, connection: AsyncConnection, state_id: StateId, place: ButtonPlace) -> None:
        """Remember which message carries the button of this state."""
        bare = msgspec.structs.replace(place, token=None)
        sealed = None if place.token is None else self._vault.seal(place.token)
        statement = update(states).where(states.c.state_id == state_id)
        await connection.execute(statement.values(button=to_json(bare), button_token_sealed=sealed))

    @transaction
    async def purge(self, connection: AsyncConnection, before: datetime) -> None:
        """Forget the states that were made before a moment, and what hangs on them.

        One that led to a link after which something is still to be done stays until that is done.
        """
        is_unended = exists().where(pendings.c.state_id == states.c.state_id, pendings.c.replaced.is_not(None))
        await connection.execute(delete(states).where(states.c.created_at < before, ~is_unended))

    async def _find(self, *conditions: ColumnElement[bool]) -> State | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(states).where(*conditions))).first()
        return None if row is None else self.read(row)

    def read(self, row: Row[Any]) -> State:
        """Build a state from a row that holds its columns, perhaps beside those of another table."""
        columns = columns_of(row, states)
        button, token_sealed = columns.pop("button"), columns.pop("button_token_sealed")
        state = msgspec.convert(columns, State)
        if button is None:
            return state
        place = msgspec.json.decode(button, type=ButtonPlace)
        if token_sealed is not None:
            place = msgspec.structs.replace(place, token=self._vault.open(token_sealed))
        return msgspec.structs.replace(state, button=place)


async def _explain(connection: AsyncConnection, *asked: ColumnElement[bool]) -> StateProblem:
    row = (await connection.execute(select(states.c.used_at).where(*asked))).first()
    if row is None:
        return StateProblem.UNKNOWN
    return StateProblem.EXPIRED if row.used_at is None else StateProblem.USED


async def _require_room(connection: AsyncConnection, asked: StateRow, most_open: int) -> None:
    theirs = (states.c.discord_user_id == asked.discord_user_id, states.c.used_at.is_(None))
    ends = select(states.c.expires_at).where(*theirs, states.c.expires_at > asked.created_at)
    untils = (await connection.execute(ends.order_by(states.c.expires_at.desc()).limit(most_open))).scalars().all()
    if len(untils) >= most_open:
        raise TooManyOpen(untils[-1])


async def note_landing(connection: AsyncConnection, state_id: StateId, landing: str) -> bool:
    """Note what came of an answer, inside a transaction that the caller began; False as in `conclude`."""
    statement = update(states).where(states.c.state_id == state_id, *_IS_UNDER_WAY).values(landing=landing)
    return (await connection.execute(statement)).rowcount > 0


async def void_questions(
    connection: AsyncConnection, discord_user_id: DiscordUserId, *, at: datetime, purpose: Purpose = Purpose.LINK
) -> None:
    """Void what a person asked and did not answer, here or at Patreon, inside a transaction that the caller began.

    Also what they did answer at Patreon, and of which nothing came yet.
    """
    theirs = (states.c.discord_user_id == discord_user_id, states.c.purpose == purpose)
    unanswered = (
        pendings.c.state_id.in_(select(states.c.state_id).where(*theirs)),
        pendings.c.status == UNANSWERED,
    )
    is_open = or_(states.c.landing.is_(None), states.c.state_id.in_(select(pendings.c.state_id).where(*unanswered)))
    voiding = update(states).where(*theirs, states.c.voided_at.is_(None), is_open)
    await connection.execute(voiding.values(voided_at=at))
    await connection.execute(delete(pendings).where(*unanswered))
