"""Who would be adopted."""

from bot.domain.adoption import AdoptionDraft, Fate
from bot.domain.model import DiscordUserId, RoleId


def test_whoever_has_the_role_by_us_is_not_adopted_again() -> None:
    holders = {fate: (DiscordUserId(number),) for number, fate in enumerate(Fate, start=1)}
    draft = AdoptionDraft(role_id=RoleId(7), role_name="Gold", holders=holders)
    assert set(draft.people) == {person for fate, (person,) in holders.items() if fate is not Fate.OURS}
