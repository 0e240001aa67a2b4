"""A child process is started, stopped, killed and started again, and every line it wrote is kept."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable

import pytest

from sandbox import botprocess
from sandbox.botprocess import BotProcess

SOON = 40.0
POLITE = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
signal.pause()
"""
DEAF = 'import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint("ready", flush=True)\nsignal.pause()'

Start = Callable[..., "asyncio.Future[BotProcess]"]


@pytest.fixture
async def begun() -> AsyncIterator[Start]:
    processes: list[BotProcess] = []

    async def begin(script: str, **environment: str) -> BotProcess:
        process = BotProcess(environment, command=(sys.executable, "-c", script))
        processes.append(process)
        await process.start()
        return process

    yield begin  # type: ignore[misc]  # a coroutine function serves as well as any
    for process in processes:
        await process.kill()


async def said(process: BotProcess, line: str) -> None:
    heard = asyncio.Event()
    process.on_change(lambda: heard.set() if line in process.lines else None)
    if line not in process.lines:
        await asyncio.wait_for(heard.wait(), SOON)


async def test_a_stopped_bot_ends_with_its_own_exit_code(begun: Start) -> None:
    process = await begun(POLITE)
    await said(process, "ready")
    assert process.running
    assert process.pid is not None
    assert await process.stop() == 0
    assert not process.running
    assert process.pid is None
    assert not process.ended_by_itself


async def test_a_paused_bot_says_nothing_until_it_goes_on_and_can_be_stopped(begun: Start) -> None:
    process = await begun(POLITE.replace("signal.pause()", "for line in range(10**9): print(line, flush=True)"))
    await said(process, "3")
    process.pause()
    assert process.paused
    before = -1
    async with asyncio.timeout(SOON):
        while before != len(process.lines):  # what it said before is still being read
            before = len(process.lines)
            await asyncio.sleep(0.2)
    process.resume()
    assert not process.paused
    heard = asyncio.Event()
    process.on_change(lambda: heard.set() if len(process.lines) > before else None)
    await asyncio.wait_for(heard.wait(), SOON)
    process.pause()
    assert await process.stop() == 0


async def test_a_killed_bot_has_no_time_to_say_goodbye(begun: Start) -> None:
    process = await begun(POLITE)
    await said(process, "ready")
    assert await process.kill() == -9


async def test_a_bot_that_does_not_stop_is_killed_and_the_log_says_so(
    begun: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(botprocess, "STOP_SECONDS", 0.1)
    process = await begun(DEAF)
    await said(process, "ready")
    assert await process.stop() == -9
    assert "did not stop" in process.lines[-1]


async def test_a_bot_that_ends_by_itself_is_known_as_such(begun: Start) -> None:
    process = await begun('print("no token"); raise SystemExit(3)')
    assert await process.ended() == 3
    assert process.ended_by_itself
    assert list(process.lines) == ["no token"]


async def test_a_bot_starts_again_and_the_log_goes_on(begun: Start) -> None:
    process = await begun('print("once")')
    await process.ended()
    await process.start()
    await process.ended()
    assert list(process.lines) == ["once", "once"]


async def test_starting_a_running_bot_changes_nothing(begun: Start) -> None:
    process = await begun(POLITE)
    pid = process.pid
    await process.start()
    assert process.pid == pid


async def test_stopping_a_bot_that_never_ran_is_no_error() -> None:
    assert await BotProcess({}).stop() is None


async def test_the_bot_sees_only_the_environment_it_is_given(begun: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    process = await begun("import os; print(os.environ.get('OURS'), os.environ['GIVEN'])", GIVEN="2")
    await process.ended()
    assert list(process.lines) == ["None 2"]


async def test_errors_long_lines_and_a_last_line_without_an_end_are_kept(begun: Start) -> None:
    process = await begun("import sys; sys.stderr.write('e' * 300_000 + '\\n' + 'last \\N{SNOWMAN}')", PYTHONUTF8="1")
    await process.ended()
    assert [len(line) for line in process.lines] == [300_000, 6]
    assert process.lines[-1] == "last ☃"
