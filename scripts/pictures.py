"""Makes all pictures in docs/pictures by playing the real bot on the real sandbox: `make pictures`.

`python -m scripts.pictures patron log` takes some of them only; SCENES has the names. They are in
`scripts/scenes/`; the stories are played by `tests/sandbox/page/test_story.py`. `docs/pictures/README.md` says what
each picture shows. Everybody in them is invented.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from playwright.async_api import Browser

from sandbox.main import Options, Sandbox
from scripts.camera import PICTURES, Sheet, camera_at
from scripts.scenes import (
    admin,
    changes,
    doctor,
    german,
    guide,
    log,
    notices,
    patron,
    patrons,
    programs,
    setup,
    stats,
    web,
)
from tests.fakes.chromium import running_chromium

SHEETS: dict[str, Callable[[Browser], AsyncIterator[Sheet]]] = {
    "patron": patron.play,
    "rules": admin.play_rules,
    "runs": admin.play_runs,
    "people": admin.play_people,
    "campaigns": admin.play_campaigns,
    "setup": setup.play,
    "patrons": patrons.play,
    "stats": stats.play,
    "doctor": doctor.play,
    "comps": changes.play_comps,
    "audit": changes.play_audit,
    "api": programs.play_api,
    "hooks": programs.play_hooks,
    "log": log.play,
    "notices": notices.play,
    "web": web.play,
    "german": german.play,
}
STILLS: dict[str, Callable[[Browser], Awaitable[None]]] = {"guide": guide.play, "program": guide.play_program}
STORIES = "stories"
SCENES = (*SHEETS, *STILLS, STORIES)


async def main(names: Sequence[str]) -> None:
    """Play the scenes of these names."""
    empty = Sandbox(Options(with_bot=False))
    async with running_chromium() as browser, empty, camera_at(browser, empty) as camera:
        for name in names:
            if name in STILLS:
                await STILLS[name](browser)
            elif name in SHEETS:
                async for sheet in SHEETS[name](browser):
                    await camera.develop(sheet)


def stories() -> int:
    """Let the stories be played once more, with pictures."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/sandbox/page/test_story.py"]
    wanted = os.environ | {"PLEDGEKEEPER_PICTURES": str(PICTURES)}
    return subprocess.run(command, cwd=PICTURES.parent.parent, env=wanted, check=False).returncode  # noqa: S603  our own command


if __name__ == "__main__":
    chosen = sys.argv[1:] or SCENES
    if unknown := set(chosen) - set(SCENES):
        sys.exit(f"no such scene: {', '.join(sorted(unknown))}; there are {', '.join(SCENES)}")
    asyncio.run(main(chosen))
    sys.exit(stories() if STORIES in chosen else 0)
