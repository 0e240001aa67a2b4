"""Which links have to give way to a new one, and the token that answers exactly that question. Pure.

another Discord account   this Discord account      word
holds this patron         holds another patron
no                        no                        confirm
yes                       no                        held
no                        yes                       held
yes                       yes                       held
"""

import hashlib
import hmac

import msgspec

from bot.domain.consent import Word
from bot.domain.model import DiscordUserId, Link, PatreonUserId, Secret


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """The links that a Yes would take the place of."""

    of_patron: Link | None = None  # another Discord account has this patron
    of_discord: Link | None = None  # this Discord account has another patron

    @property
    def is_free(self) -> bool:
        """Tell whether nothing has to give way."""
        return self.of_patron is None and self.of_discord is None

    @property
    def word(self) -> Word:
        """Return the word of the question that asks for it."""
        return Word.CONFIRM if self.is_free else Word.HELD


NOBODY = Holders()


def other_holders(
    *, discord_user_id: DiscordUserId, patreon_user_id: PatreonUserId, by_discord: Link | None, by_patreon: Link | None
) -> Holders:
    """Pick, from the links of either account, those that join it to a third one."""
    return Holders(
        of_patron=by_patreon if by_patreon is not None and by_patreon.discord_user_id != discord_user_id else None,
        of_discord=by_discord if by_discord is not None and by_discord.patreon_user_id != patreon_user_id else None,
    )


def answer_token(cookie: Secret, holders: Holders) -> Secret:
    """Return the token of the form that asks, in this browser, to take the place of `holders`.

    It is made from the browser's cookie, so a reload and a restart show the same one, and from the question itself:
    when another link came in between, the Yes to the old question does not fit the new one.
    """
    links = (holders.of_patron, holders.of_discord)
    asked = "|".join(f"{link.discord_user_id}={link.patreon_user_id}" if link else "-" for link in links)
    return Secret(hmac.new(cookie.reveal().encode(), asked.encode(), hashlib.sha256).hexdigest())
