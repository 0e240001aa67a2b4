"""Short stories that the random search tells sooner or later, told each time: what once went wrong between people."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.model import HandEdits
from bot.linking import consent_flow
from bot.sync.applying import reconcile
from sandbox.patreon import api_v2
from tests.fakes.town import INK, ROLES, TALES, Town
from tests.fakes.townhall import TownHall
from tests.fakes.townsfolk import Townsfolk
from tests.fakes.townwatch import TownWatch

ROWS_ON_A_PAGE = 12
QUIET_DAY = timedelta(hours=25)


class Story:
    """A town that follows one campaign, and what must hold there."""

    def __init__(self, town: Town) -> None:
        self.town, self.folk, self.hall, self.watch = town, Townsfolk(town), TownHall(town), TownWatch(town)

    async def look(self) -> None:
        """See that nothing is wrong."""
        await self.folk.look_at_pages()
        await self.watch.look()
        assert not self.town.violations, "\n".join(self.town.violations)

    async def quiet_day(self) -> None:
        self.town.pass_time(QUIET_DAY)
        await self.town.tick()

    def roles(self, name: str) -> set[str]:
        held = self.town.guild.members[self.town.id_of(name)]._roles
        return {title for title, role in ROLES.items() if role in held}


@pytest.fixture
async def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Story]:
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.02)
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", ROWS_ON_A_PAGE)
    town = Town(tmp_path, Counter())
    await town.open()
    story = Story(town)
    await story.hall.add_house_rules(TALES)
    for name in ("ada", "ben", "cleo"):
        town.act("pledge", name, "Gold")
    yield story
    await town.close()


async def test_who_links_after_a_quiet_day_gets_their_role_at_once(story: Story) -> None:
    await story.folk.link("ada", "ada")
    await story.quiet_day()
    await story.folk.link("ben", "ben")
    assert story.roles("ben") == {"Gold", "Supporter"}
    await story.look()


async def test_who_links_again_gets_their_role_at_once(story: Story) -> None:
    await story.folk.link("ada", "ada")
    await story.folk.unlink("ada")
    assert story.roles("ada") == set()
    await story.folk.link("ada", "ada")
    assert story.roles("ada") == {"Gold", "Supporter"}
    await story.look()


async def test_who_links_first_after_another_unlinked_gets_their_role_at_once(story: Story) -> None:
    await story.folk.link("ada", "ada")
    await story.folk.unlink("ada")
    await story.folk.link("ben", "ben")
    assert story.roles("ben") == {"Gold", "Supporter"}
    await story.look()


async def test_who_has_to_give_way_loses_the_role_at_once_and_is_told(story: Story) -> None:
    await story.folk.link("cleo", "cleo")
    await story.folk.link("ada", "ada")
    await story.quiet_day()
    await story.folk.link("ben", "ada")
    assert (story.roles("ada"), story.roles("ben")) == (set(), {"Gold", "Supporter"})
    assert story.town.guild.told == [story.town.id_of("ada")]
    await story.look()


async def test_a_page_shows_no_roles_of_somebody_whose_were_under_way(story: Story) -> None:
    story.town.act("change_tier", "ben", "Bronze")
    await story.folk.think_again("ada", "ada", "ben", "ben")
    assert (story.roles("ada"), story.roles("ben")) == (set(), {"Bronze", "Supporter"})
    await story.look()


async def test_a_campaign_that_ends_amid_its_read_takes_no_token_of_who_links_meanwhile(story: Story) -> None:
    await story.hall.connect(INK)
    await story.hall.disconnect_amid_read(INK, story.folk, "ada", "ada")
    assert story.roles("ada") == {"Gold", "Supporter"}
    await story.look()


async def test_a_number_of_a_rule_that_is_gone_removes_no_other(story: Story) -> None:
    last = max(story.hall.numbers)
    await story.hall.remove_rule(last)
    await story.hall.add_rule("Silver", "Gold")
    kept = dict(story.town.rules)
    await story.hall.remove_rule(last)
    assert story.town.rules == kept
    await story.look()


async def test_sync_leaves_nothing_to_do_where_an_event_was_lost(story: Story) -> None:
    await story.folk.link("ada", "ada")
    members, ada = story.town.guild.members, story.town.id_of("ada")
    members[ada] = members[ada].with_roles(frozenset())  # somebody takes the roles, and no event tells
    await story.hall.set("hand_edits", HandEdits.ENFORCE)
    await story.hall.sync()
    assert story.roles("ada") == {"Gold", "Supporter"}
    await story.look()


async def test_what_others_gave_is_adopted_in_one_answer_and_then_follows_the_pledge(story: Story) -> None:
    await story.folk.give("ada", "Gold")
    await story.folk.link("ada", "ada")
    await story.folk.give("cleo", "Gold")
    await story.hall.adopt_all()
    assert story.town.statistics["roles adopted from access"] == 2
    await story.hall.sync()
    assert (story.roles("ada"), story.roles("cleo")) == ({"Gold", "Supporter"}, set())
    await story.look()
