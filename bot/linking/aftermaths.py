"""Goes on with what follows a Yes, where it was cut off or another process took the answer, while Discord is there."""

from collections.abc import Sequence
from typing import NoReturn

from bot.discord.holder import ClientHolder
from bot.linking.consent_flow import ConsentFlow
from bot.runtime.doorbell import Doorbell

RESUME_SECONDS = 60.0
LOOK_SECONDS = 2.0  # where another process may have taken the answer


class Aftermaths:
    """Looks now and then, and when it is rung."""

    def __init__(self, flows: Sequence[ConsentFlow], *, holder: ClientHolder, is_shared: bool) -> None:
        self._flows = flows
        self._holder = holder
        self._pause = LOOK_SECONDS if is_shared else RESUME_SECONDS
        self._bell = Doorbell()

    def ring(self) -> None:
        """Look now."""
        self._bell.ring()

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            await self._holder.wait_ever()
            for flow in self._flows:
                await flow.resume()
            await self._bell.wait(self._pause)
