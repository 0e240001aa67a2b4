"""What a start finds missing, case by case."""

from typing import Any

import msgspec
import pytest

from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.domain.start import Missing, StartFacts, find_missing
from bot.domain.status import (
    DatabaseMoment,
    DiscordMoment,
    ListState,
    PairKind,
    PairsStatus,
    PairState,
)
from bot.runtime.health import Note
from tests.fakes.moment import EMPTY

STORED = msgspec.structs.replace(EMPTY, campaigns={ListState.ACCEPTED: 1}, links=10, rules=3)
WELL = StartFacts(
    version="1.0.0",
    roles=tuple(sorted(ALL_ROLES)),
    public_url="https://pledges.example.org",
    address="127.0.0.1:8080",
    database="sqlite",
    sync_interval_seconds=300,
    is_alone=True,
    discord=DiscordMoment(servers=1, shards_connected=1, sees_members=True),
    stored=STORED,
)


def with_dead_pair() -> DatabaseMoment:
    dead = PairsStatus(counts={**dict.fromkeys(PairState, 0), PairState.DEAD: 1})
    return msgspec.structs.replace(STORED, pairs={**EMPTY.pairs, PairKind.CREATOR: dead})


def missing(**changes: Any) -> tuple[Missing, ...]:
    return find_missing(msgspec.structs.replace(WELL, **changes))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param({"stored": None}, (Missing.DATABASE,), id="the database is away"),
        pytest.param({"discord": None}, (Missing.DISCORD,), id="not at Discord"),
        pytest.param({"discord": None, "is_in_reserve": True}, (), id="in reserve"),
        pytest.param({"discord": None, "roles": (ProcessRole.WORKER,)}, (), id="no gateway"),
        pytest.param(
            {"discord": DiscordMoment(sees_members=True)}, (Missing.SERVERS,), id="in no server, and there is no other"
        ),
        pytest.param(
            {"discord": DiscordMoment(sees_members=True), "is_alone": False}, (), id="in no server, but others may be"
        ),
        pytest.param(
            {"discord": DiscordMoment(servers=1, sees_members=False)}, (Missing.MEMBERS_INTENT,), id="sees no members"
        ),
        pytest.param(
            {"stored": msgspec.structs.replace(STORED, campaigns={ListState.UNREAD: 0}, rules=0)},
            (Missing.CAMPAIGNS,),
            id="no campaign",
        ),
        pytest.param({"stored": msgspec.structs.replace(STORED, rules=0)}, (Missing.RULES,), id="no rule"),
        pytest.param(
            {"stored": msgspec.structs.replace(STORED, rules=0), "roles": (ProcessRole.WEB,)},
            (),
            id="no rule, and another process's to say",
        ),
        pytest.param({"stored": with_dead_pair()}, (Missing.CREATOR_CONSENT,), id="a creator's token is dead"),
        pytest.param({"public_url": "http://pledges.example.org"}, (Missing.HTTPS,), id="http from afar"),
        pytest.param({"public_url": "http://127.0.0.1:8080"}, (), id="http on this machine"),
        pytest.param({"notes": frozenset({"commands_pending"})}, (Missing.COMMANDS_PENDING,), id="a note"),
        pytest.param({"notes": frozenset({"in_reserve"})}, (), id="a note of nothing to do"),
    ],
)
def test_what_is_missing(changes: dict[str, Any], found: tuple[Missing, ...]) -> None:
    assert missing(**changes) == found


def test_each_note_of_healthz_but_the_reserve_is_something_to_do() -> None:
    assert {str(note) for note in Note} - {str(one) for one in Missing} == {Note.IN_RESERVE}
