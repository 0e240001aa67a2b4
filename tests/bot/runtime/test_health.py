"""The health board: what each part says of itself, in the shape that /healthz answers."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
import structlog

from bot.domain.processes import ProcessRole
from bot.runtime.health import HealthBoard, Note, Part

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PARTS: tuple[Part, ...] = get_args(Part)


class HeldClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def board(clock: HeldClock) -> HealthBoard:
    return HealthBoard(clock)


def test_the_parts_are_these_four() -> None:
    assert PARTS == ("gateway", "sync", "web", "database")


def test_a_new_board_is_not_well(board: HealthBoard) -> None:
    assert not board.report().is_ok


def test_it_is_well_when_every_part_is(board: HealthBoard) -> None:
    for part in PARTS:
        assert not board.report().is_ok
        board.ok(part)
    assert board.report().is_ok


def test_what_other_processes_do_is_not_reported(clock: HeldClock) -> None:
    board = HealthBoard(clock, frozenset({ProcessRole.WEB}))
    for part in PARTS:
        board.begun(part)
        board.failed(part, "as it happens")
    board.ok("web")
    board.ok("database")
    told = msgspec.json.decode(msgspec.json.encode(board.report()))
    assert (told["status"], told["roles"], [*told["parts"]]) == ("ok", ["web"], ["web", "database"])
    assert not board.was_ever_ok("gateway")


def test_one_failed_part_makes_it_unwell_and_keeps_its_last_success(board: HealthBoard, clock: HeldClock) -> None:
    for part in PARTS:
        board.ok(part)
    clock.time += timedelta(minutes=1)
    board.failed("gateway", "closed")
    report = board.report()
    assert report.status == "failing"
    assert report.parts["gateway"].last_success == NOON
    assert report.parts["sync"].ok


def test_the_report_has_the_shape_of_healthz_and_names_no_cause(board: HealthBoard) -> None:
    board.ok("web")
    board.failed("sync", "MARKER")
    told = msgspec.json.decode(msgspec.json.encode(board.report()))
    assert told["status"] == "failing"
    assert told["parts"]["web"] == {"ok": True, "last_success": "2026-05-01T12:00:00Z"}
    assert told["parts"]["sync"] == {"ok": False, "last_success": None}


def test_the_log_hears_of_the_first_failure_and_of_the_recovery(board: HealthBoard) -> None:
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            board.failed("sync", "down")
        for _ in range(3):
            board.ok("sync")
    assert [line["event"] for line in lines] == ["a part does not work", "a part works again"]


def test_a_part_that_ends_in_order_is_not_well_and_no_trouble(board: HealthBoard) -> None:
    board.ok("web")
    with structlog.testing.capture_logs() as lines:
        board.ended("web")
    assert not board.report().parts["web"].ok
    assert board.report().parts["web"].last_success is not None
    assert lines == []


def test_notes_stand_beside_the_parts_and_leave_the_status(board: HealthBoard) -> None:
    for part in PARTS:
        board.ok(part)
    board.note(Note.OWNER_NEEDS_2FA)
    board.note(Note.COMMANDS_PENDING)
    board.note(Note.COMMANDS_PENDING)
    told = msgspec.json.decode(msgspec.json.encode(board.report()))
    assert told["notes"] == ["commands_pending", "owner_needs_2fa"]
    assert told["status"] == "ok"
    board.withdraw(Note.COMMANDS_PENDING)
    board.withdraw(Note.PATREON_CLIENT_REFUSED)
    assert board.report().notes == (Note.OWNER_NEEDS_2FA,)
