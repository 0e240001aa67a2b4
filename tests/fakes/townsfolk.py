"""What people do in a town, over and over: link, forward, answer, unlink, think again, come and go.

All by the real flow, as the web pages and cogs/link.py call it. Each browser's page is kept, and is looked at again.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.domain.consent import Asker, Linked, View, Word
from bot.domain.model import DiscordUserId, Secret
from bot.patreon.oauth import LINK_SCOPES
from bot.patreon.protocol.version import PatreonApi
from sandbox.patreon import standing
from tests.fakes.guild import GUILD
from tests.fakes.stored import list_links
from tests.fakes.town import PUBLIC_URL, ROLES, Town

SCOPES = frozenset(LINK_SCOPES[PatreonApi.V2])
PAGES_KEPT = 4
WRITTEN = {"given": "PUT", "removed": "DELETE"}


@dataclass
class Page:
    """What one browser got: a question that may still be open, or what came of it."""

    name: str
    patron: str
    cookie: Secret | None
    view: View
    had: frozenset[int]  # the person's roles before
    consent: list[object]  # what Patreon told by it
    writes: int = 0  # how many there had been before


class Townsfolk:
    """The people, and what they saw."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.open: list[Page] = []
        self.pages: list[Page] = []

    async def link(self, name: str, patron: str) -> None:
        """Type /link, consent, and say Yes, also where that moves a link."""
        town = self.town
        town.statistics["links"] += 1
        parted = self._will_link(name, patron)
        await self._carry_out(self._link(name, patron))
        await self.look_at([town.id_of(name), *parted], f"{name} linked")

    async def forward(self, name: str, patron: str) -> None:
        """Type /link; somebody consents, and leaves the page open."""
        await self._carry_out(self._open(name, patron))

    async def answer(self, page: Page, *, is_yes: bool) -> None:
        """Press a button on a page that was left open, however long ago."""
        town = self.town
        town.statistics["late answers"] += 1
        before = await list_links(town.app.storage)
        parted = self._will_link(page.name, page.patron) if is_yes else []
        await self._carry_out(self._answer(page, is_yes=is_yes))
        if is_yes:
            # Of whoever pledged while the page was open, a webhook or the next round tells.
            is_told = page.consent == self._standing_of(page.patron)
            people = [town.id_of(page.name), *parted] if is_told else parted
            await self.look_at(people, f"{page.name} answered late")
        elif before != await list_links(town.app.storage):
            town.violations.append(f"a No of {page.patron} to {page.name} changed links")

    async def link_amid(self, name: str, patron: str) -> None:
        """Link while something else is under way, whose verb looks at what came of it."""
        self._will_link(name, patron)
        await self._link(name, patron)

    async def unlink(self, name: str) -> None:
        town = self.town
        town.statistics["unlinks"] += 1
        town.will_part(town.id_of(name))
        await self._carry_out(self._unlink(name))
        await self.look_at([town.id_of(name)], f"{name} unlinked")

    async def think_again(self, name: str, patron: str, other: str, others_patron: str) -> None:
        """Link while Discord is slow, and unlink before the roles are there; meanwhile somebody else links."""
        town = self.town
        town.statistics["links given up at once"] += 1
        parted = [*self._will_link(name, patron), *self._will_link(other, others_patron)]
        town.will_part(*map(town.id_of, (name, other)))
        await self._carry_out(self._think_again(name, patron, other, others_patron))
        await self.look_at([town.id_of(name), town.id_of(other), *parted], f"{name} thought again, {other} linked")

    async def look_at(self, people: list[DiscordUserId], after: str) -> None:
        """See that these people have what they earn, without a round, and that the bot itself would change nothing."""
        town = self.town
        if not town.is_fair:
            return
        town.violations += [f"after {after}: {one}" for one in await town.find_differences(people)]
        for person in people:
            told = await town.app.reconciler.explain(GUILD, person)
            if told.plan.is_change:
                town.violations.append(f"after {after}: {person} still waits: {told.plan.decisions}")
        await town.program.look_at(people, after)

    async def look_at_pages(self) -> None:
        """Reload every page: it speaks of its own person, and of roles that this person got, kept or lost."""
        self.pages = self.pages[-PAGES_KEPT:]
        for page in self.pages:
            view = await self.town.app.linking.show(page.cookie)
            self.town.violations += [
                f"the page of {page.name} for {page.patron} {why}" for why in self._faults(page, view)
            ]

    def _faults(self, page: Page, view: View) -> list[str]:
        town, person, linked = self.town, self.town.id_of(page.name), view.outcome
        if not isinstance(linked, Linked):
            return []
        found = []
        if (linked.username, linked.patreon_name) != (page.name, town.patrons[page.patron].full_name):
            found.append(f"names {linked.username} and {linked.patreon_name}")
        if linked.news is None and town.is_fair:
            found.append("says that roles are on their way")
        writes = town.guild.writes[page.writes :]
        for one in linked.news or ():
            role = ROLES[one.role_name]
            is_true = (WRITTEN[one.status], person, role) in writes if one.status in WRITTEN else True
            if one.status == "kept":
                is_true = role in page.had or ("PUT", person, role) in writes
            if not is_true:
                found.append(f"says that {one.role_name} was {one.status}")
        return found

    # --- the flow

    def _will_link(self, name: str, patron: str) -> list[DiscordUserId]:
        """Take it that this link stands now; return who loses theirs by it."""
        town = self.town
        holder = town.holder_of(patron)
        parted = [holder] if holder is not None and holder != town.id_of(name) else []
        if town.patron_of(name) != patron:
            town.will_part(town.id_of(name), *parted)
        return parted

    async def _carry_out(self, act: Coroutine[Any, Any, object]) -> None:
        async def carry_out() -> None:
            await act
            await self.town.drain()

        await self.town.until_death(carry_out())
        await self.town.settle()

    async def _link(self, name: str, patron: str) -> Page:
        page = await self._open(name, patron)
        if page.view.question is not None:
            await self._answer(page, is_yes=True)
        return page

    async def _open(self, name: str, patron: str) -> Page:
        town, flow = self.town, self.town.app.linking
        town.clock.move(timedelta(seconds=1))
        person = town.id_of(name)
        started = await flow.start(_asker(person, name))
        state = parse_qs(urlsplit(started.authorize_url.reveal()).query)["state"][0]
        code = town.state.oauth.consent(town.client, town.patrons[patron], SCOPES, f"{PUBLIC_URL}/oauth/callback")
        member = town.guild.members.get(person)
        had = frozenset() if member is None else member._roles
        writes = len(town.guild.writes)
        consent = self._standing_of(patron)
        landing = await flow.finish_callback(state=Secret(state), code=Secret(code), error=None)
        view = await flow.show(landing.cookie)
        page = Page(name, patron, landing.cookie, view, had, consent, writes)
        if view.question is None:
            await self._arrived(page)
        else:
            self.open.append(page)
        return page

    def _standing_of(self, patron: str) -> list[object]:
        return [
            (
                one.patron_status,
                one.last_charge_status,
                one.is_gifted,
                [tier.id for tier in standing.entitled_tiers(one)],
            )
            for one in self.town.patrons[patron].memberships.values()
        ]

    async def _answer(self, page: Page, *, is_yes: bool) -> None:
        flow = self.town.app.linking
        self.open = [one for one in self.open if one is not page]
        question = page.view.question
        if question is None:
            return
        member = self.town.guild.members.get(self.town.id_of(page.name))
        page.had, page.writes = frozenset() if member is None else member._roles, len(self.town.guild.writes)
        page.view = await (flow.confirm if is_yes else flow.decline)(page.cookie, question.token)
        if page.view.question is not None:
            self.open.append(page)  # another link came in between: they are asked anew
        await self._arrived(page)

    async def _arrived(self, page: Page) -> None:
        if page.view.word is Word.LINKED:
            self.pages.append(page)

    async def _unlink(self, name: str) -> None:
        town, person = self.town, self.town.id_of(name)
        writes, link = len(town.guild.writes), await town.app.storage.links.find_discord(person)
        unlinked = await town.app.unlinker.unlink(person)
        if unlinked.patreon_name != (None if link is None else link.patreon_name):
            town.violations.append(f"{name} was told that they are parted from {unlinked.patreon_name}")
        gone = {ROLES[one.role_name] for one in unlinked.news or () if one.status == "removed"}
        if any(("DELETE", person, role) not in town.guild.writes[writes:] for role in gone):
            town.violations.append(f"{name} was told that {gone} are gone")

    async def _think_again(self, name: str, patron: str, other: str, others_patron: str) -> None:
        town = self.town
        town.guild.is_quick.clear()
        try:
            await self._link(name, patron)
            parting = asyncio.create_task(town.app.unlinker.unlink(town.id_of(name)))
            while await town.app.storage.links.find_discord(town.id_of(name)) is not None:
                await asyncio.sleep(0.0005)
            await self._link(other, others_patron)
        finally:
            town.guild.is_quick.set()
        await parting

    # --- coming, going, and hands

    async def leave(self, name: str) -> None:
        town = self.town
        if town.id_of(name) in town.guild.members:
            town.guild.leave(town.id_of(name))
            if not town.is_deaf:
                town.app.observer.left(GUILD, town.id_of(name))
                await town.until_death(town.app.reconciler.follow_leaving(GUILD, town.id_of(name)))
                await town.heard()
            if town.is_fair:
                await town.program.look_at([town.id_of(name)], f"{name} left")

    async def join(self, name: str, *, is_pending: bool) -> None:
        town = self.town
        if town.id_of(name) not in town.guild.members:
            town.clock.move(timedelta(seconds=1))
            town.guild.join(town.id_of(name), town.clock.now(), is_pending=is_pending)
            town.hear(town.guild.members[town.id_of(name)])
        elif not is_pending:
            town.guild.pass_screening(town.id_of(name))
        await town.heard()

    async def give(self, name: str, role: str) -> None:
        """Give a role by hand; it stays theirs unless the bot's ledger knows it."""
        town, person = self.town, self.town.id_of(name)
        if person in town.guild.members:
            rows = await town.app.storage.ledger.load_member(GUILD, person)
            town.guild.give(person, ROLES[role], is_ours=ROLES[role] in rows)
            await town.heard()

    async def take(self, name: str, role: str) -> None:
        town, person = self.town, self.town.id_of(name)
        if person in town.guild.members:
            town.guild.take(person, ROLES[role])
            await town.heard()


def _asker(person: DiscordUserId, name: str) -> Asker:
    return Asker(
        discord_user_id=person, username=name, display_name=name, avatar_url=None, guild_id=GUILD, guild_name="Town"
    )
