"""What one person is told by direct message without having asked. The message of `/link` is in `linking.py`."""

from typing import assert_never

from bot.domain.consent import Moved
from bot.domain.notices import ConsentRefused, PaymentDeclined, PersonNews, Stay
from bot.texts.card import Card, Outcome
from bot.texts.linking import moved_away
from bot.texts.renderer import Renderer, Text


def person_card(r: Renderer, news: PersonNews) -> Card:
    """Say what happened, what it means for their roles and what they can do."""
    match news:
        case PaymentDeclined():
            return Card(
                Outcome.WAITING,
                r.say("Your payment was declined"),
                r.lines(
                    [
                        r.say("Patreon couldn't charge you for your pledge to **{campaign}**.", campaign=news.campaign),
                        *(_say_stay(r, stay) for stay in news.stays),
                        r.say(
                            "Please check your payment method on Patreon. Once the payment goes through, you'll keep "
                            "everything. `/membership` shows your current status."
                        ),
                    ]
                ),
            )
        case ConsentRefused():
            return Card(
                Outcome.WAITING,
                r.say("I can't check your membership anymore"),
                r.say(
                    "Patreon no longer accepts the access you gave me, so I can't check your membership of "
                    "**{campaign}**. Your roles in {servers} stay as they are. Type `/link` there to give me access "
                    "again.",
                    campaign=news.campaign,
                    servers=r.listing([r.strong(server) for server in news.servers]),
                ),
            )
        case Moved():
            return moved_away(r, news)
        case _:
            assert_never(news)


def _say_stay(r: Renderer, stay: Stay) -> Text:
    return r.say("Your roles in **{server}** stay until {until}.", server=stay.server, until=r.day(stay.until))
