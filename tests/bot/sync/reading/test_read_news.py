"""What admins are told after a read of Patreon, in which order of days."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.errors import CredentialsDead, PatreonCode, PatreonRefused, PatreonUnavailable, PledgekeeperError
from bot.domain.evidence import Anomaly, ReadSummary, Verdict
from bot.domain.model import DiscordUserId, ReadId
from bot.sync.reading.intake import CampaignRead
from bot.sync.reading.read_news import ReadNews
from tests.fakes.notifier import HeardNotifier
from tests.fakes.world import CAMPAIGN, GUILD, NEW_YEAR


def read(verdict: Verdict, error: PledgekeeperError | None = None) -> CampaignRead:
    return CampaignRead(
        campaign_id=CAMPAIGN,
        read_id=ReadId(1),
        started_at=NEW_YEAR,
        summary=ReadSummary(),
        verdict=verdict,
        changed=frozenset(),
        error=error,
    )


GOOD, LYING = Verdict(is_complete=True), Verdict(is_complete=True, anomalies=(Anomaly.NO_TIERS,))
CUT = Verdict(is_complete=False, anomalies=(Anomaly.NO_TIERS,))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param(read(GOOD), [], id="all is well"),
        pytest.param(read(LYING), ["looks wrong. No member has a tier."], id="a lying list"),
        pytest.param(read(CUT, PatreonUnavailable(PatreonCode.UNUSABLE)), [], id="a list that broke off"),
        pytest.param(
            read(GOOD, PatreonRefused(PatreonCode.REFUSED, status=403)),
            ["All roles stay as they are until it does. Patreon refused"],
            id="a token without the right",
        ),
        pytest.param(
            read(CUT, CredentialsDead(PatreonCode.TOKEN_REFUSED)),
            ["no longer accepts the creator's access to"],
            id="a token that is dead",
        ),
    ],
)
async def test_a_read_is_told_of_where_an_admin_can_do_something(
    notifier: HeardNotifier, told: CampaignRead, words: list[str]
) -> None:
    await ReadNews(notifier).tell(GUILD, "Moths*", told)
    assert len(notifier.troubles) == len(words)
    assert all(word in trouble for word, trouble in zip(words, notifier.troubles, strict=True))
    assert all("**Moths\\***" in trouble for trouble in notifier.troubles), "a name is made harmless, once"


async def test_accounts_that_a_page_lacks_are_told_once_and_when_they_are_back(notifier: HeardNotifier) -> None:
    lacking = replace(read(GOOD), summary=ReadSummary(accounts_lost_together=2))
    for told in (lacking, lacking, read(GOOD)):
        await ReadNews(notifier).tell(GUILD, "Moths*", told)
    assert any("the Discord accounts of 2 patrons are missing all at once" in text for text in notifier.troubles)
    assert all("**Moths\\***" in text for text in notifier.troubles)


BUSY = PatreonUnavailable(PatreonCode.UNUSABLE)


@pytest.mark.parametrize("error", [None, BUSY], ids=["its numbers differ", "it broke off"])
async def test_a_list_that_has_not_been_whole_for_a_day_is_told_and_that_it_is_over(
    notifier: HeardNotifier, error: PledgekeeperError | None
) -> None:
    news, cut = ReadNews(notifier), read(Verdict(is_complete=False), error)
    await news.tell(GUILD, "Moths", replace(cut, lacking_since=NEW_YEAR - timedelta(hours=23)))
    assert notifier.troubles == []
    await news.tell(GUILD, "Moths", replace(cut, lacking_since=NEW_YEAR - timedelta(hours=24)))
    (trouble,) = notifier.troubles
    assert "haven't received a complete member list for **Moths**" in trouble
    await news.tell(GUILD, "Moths", read(GOOD))
    assert any("is complete again" in over for over in notifier.ended)


async def test_of_a_list_that_patreon_refuses_only_that_is_told(notifier: HeardNotifier) -> None:
    refused = read(CUT, PatreonRefused(PatreonCode.REFUSED, status=403))
    await ReadNews(notifier).tell(GUILD, "Moths", replace(refused, lacking_since=NEW_YEAR - timedelta(days=9)))
    (trouble,) = notifier.troubles
    assert "Patreon refused" in trouble


async def test_an_unknown_word_is_told(notifier: HeardNotifier) -> None:
    await ReadNews(notifier).tell(GUILD, "Moths", read(GOOD), unknown_words=("Quantum Hold",))
    (trouble,) = notifier.troubles
    assert "Patreon says **Quantum Hold** about a patron of **Moths**" in trouble


async def test_whose_consent_ended_is_named_and_keeps_their_roles(notifier: HeardNotifier) -> None:
    ended = [DiscordUserId(number) for number in range(12)]
    await ReadNews(notifier).tell_of_consents(GUILD, CAMPAIGN, "Moths", is_dead=False, ended=ended)
    reader, consents = notifier.troubles
    assert "I have no creator's access to **Moths**" in reader
    assert "<@0>, <@1>" in consents
    assert "<@9> and 2 more" in consents
    assert "stay as they are until they type `/link` again" in consents


async def test_when_all_can_be_read_again_that_is_over(notifier: HeardNotifier) -> None:
    await ReadNews(notifier).tell_of_consents(GUILD, CAMPAIGN, "Moths", is_dead=True)
    assert len(notifier.troubles) == 1
    assert "I can check every linked patron of **Moths** again" in notifier.ended[0]


async def test_what_could_not_be_read_is_told_and_that_it_is_over(notifier: HeardNotifier) -> None:
    news = ReadNews(notifier)
    await news.tell(GUILD, "Moths", read(GOOD), unread=1)
    await news.tell(GUILD, "Moths", read(GOOD), unread=3)
    assert ["1 patron of" in notifier.troubles[0], "3 patrons of" in notifier.troubles[1]] == [True, True]
    assert "keep their roles" in notifier.troubles[0]
    await news.tell(GUILD, "Moths", read(GOOD))
    assert any("again" in over for over in notifier.ended)
