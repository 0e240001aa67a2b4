"""The cards of `/patreon hooks …`, and what the log channel says of webhooks: to which host, what, and whether it came.

Of an address people read its host: the rest may be a secret. Of an answer they read its status, and nothing it said.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.hooks import Delivery, DeliveryFailure, Hook, HookAnswer, HookEventType, OffReason
from bot.domain.model import DiscordUserId, Secret
from bot.domain.receivers import ReceiverFault
from bot.texts.card import CHOICE_LENGTH, Card, Field, Outcome, cut
from bot.texts.renderer import N_, Renderer, Text

FAULTS: Mapping[ReceiverFault, str] = {
    ReceiverFault.UNREADABLE: N_("I can't read it as an address."),
    ReceiverFault.TOO_LONG: N_("It's longer than 1,000 characters."),
    ReceiverFault.NOT_HTTPS: N_("It has to begin with `https://`."),
    ReceiverFault.HAS_LOGIN: N_("It can't contain a user name or a password."),
    ReceiverFault.IS_NUMBER: N_("It has to name a host, not an IP address."),
    ReceiverFault.NOT_ASCII: N_("Its host contains special letters. Write it in the form that begins with `xn--`."),
    ReceiverFault.NOT_PUBLIC: N_("Its host can't be reached from the internet, and I only send to hosts that can."),
    ReceiverFault.ODD_PORT: N_("It names a port that isn't meant for web servers. Use 443, or one from 1024 up."),
    ReceiverFault.IS_OURS: N_("It's my own address. Use the address of your program."),
    ReceiverFault.UNKNOWN_NAME: N_("I couldn't find its host. Check the spelling, or wait until the name is known."),
}
_FAILURES: Mapping[DeliveryFailure, str] = {
    DeliveryFailure.TIMED_OUT: N_("no answer within 15 seconds"),
    DeliveryFailure.UNREACHED: N_("couldn't be reached"),
    DeliveryFailure.BAD_CERTIFICATE: N_("has no valid certificate"),
    DeliveryFailure.NOT_PUBLIC: N_("can't be reached from the internet"),
}
_TEST_FAILURES: Mapping[DeliveryFailure, str] = {
    DeliveryFailure.TIMED_OUT: N_(
        "{place} didn't answer the test message within 15 seconds. Let your program answer first, and do its work "
        "afterwards."
    ),
    DeliveryFailure.UNREACHED: N_(
        "I couldn't reach {place}. Check that your program is running and that it can be reached from the internet."
    ),
    DeliveryFailure.BAD_CERTIFICATE: N_(
        "I didn't send {place} the test message, because it has no valid certificate for its name."
    ),
    DeliveryFailure.NOT_PUBLIC: N_(
        "I didn't send {place} the test message, because it can't be reached from the internet, and I only send to "
        "hosts that can."
    ),
}
_OFF: Mapping[OffReason, str] = {
    OffReason.GONE: N_("Turned off {when}: it answered 410 (Gone), so it doesn't want any more messages."),
    OffReason.FAILING: N_("Turned off {when}: I couldn't deliver a message for two days."),
}
_TURNED_OFF: Mapping[OffReason, str] = {
    OffReason.GONE: N_(
        "I've turned off webhook {id} to {place}, because it answered 410 (Gone): it doesn't want any more messages. "
        "If that was a mistake, remove it with `/patreon hooks remove` and add it again."
    ),
    OffReason.FAILING: N_(
        "I've turned off webhook {id} to {place}, because I couldn't deliver a message to it for two days. What was "
        "waiting won't be sent anymore. When it works again, remove it with `/patreon hooks remove` and add it again."
    ),
}
_EDITED: Mapping[bool, str] = {
    True: N_("{admin} added webhook {id}: I now tell {place} about roles and memberships of this server."),
    False: N_("{admin} removed webhook {id} to {place}."),
}


def added_card(r: Renderer, hook: Hook, secret: Secret) -> Card:
    """Show a new hook and, this once, its secret."""
    body = r.lines(
        [
            r.say("I'll send {events} to {place} from now on.", events=_events(r, hook), place=r.code(hook.place)),
            r.say("Each message is signed with this secret. I won't show it again, so save it now:"),
            r.code(secret.reveal()),
            r.say("`/patreon hooks test` sends it a first message."),
        ]
    )
    return Card(Outcome.DONE, r.say("Webhook {id} added", id=r.id(hook.hook_id)), body)


def hooks_card(r: Renderer, hooks: Sequence[tuple[Hook, Sequence[Delivery]]], now: datetime) -> Card:
    """List hooks, each with its newest deliveries, as they are now."""
    title = r.say("Webhooks")
    if not hooks:
        said = r.say(
            "This server has no webhooks. With `/patreon hooks add`, I tell a program of yours what happens here."
        )
        return Card(Outcome.INFO, title, said)
    is_any_off = any(hook.off_at is not None for hook, _ in hooks)
    fields = tuple(_field(r, hook, deliveries, now) for hook, deliveries in hooks)
    return Card(Outcome.PROBLEM if is_any_off else Outcome.INFO, title, r.lines([]), fields=fields)


def removed_card(r: Renderer, hook: Hook) -> Card:
    """Say that nothing is sent there any more."""
    said = r.say("I won't send anything to {place} anymore.", place=r.code(hook.place))
    return Card(Outcome.DONE, r.say("Webhook {id} removed", id=r.id(hook.hook_id)), said)


def tried_card(r: Renderer, hook: Hook, answer: HookAnswer, *, hurried: int) -> Card:
    """Say what came of a test, and how much of what waited is sent now."""
    place = r.code(hook.place)
    if not answer.is_success:
        return Card(Outcome.PROBLEM, r.say("The test didn't arrive"), _say_test_failure(r, place, answer))
    said = r.say("{place} accepted the test message ({what}).", place=place, what=_say_answer(r, answer))
    if hurried:
        waiting = r.plural(
            "I'm now sending {count} message that was waiting, too.",
            "I'm now sending {count} messages that were waiting, too.",
            hurried,
        )
        said = r.join(said, waiting)
    return Card(Outcome.DONE, r.say("The test arrived"), said)


def hook_choice(r: Renderer, hook: Hook) -> str:
    """Say, for whoever is typing, what a hook's number stands for."""
    return cut(r.say("{id}: {place}", id=r.id(hook.hook_id), place=hook.place), CHOICE_LENGTH)


def say_turned_off(r: Renderer, hook_id: int, place: str, reason: OffReason) -> Text:
    """Say that nothing is sent to a hook any more, and what to do."""
    return r.say(_TURNED_OFF[reason], id=r.id(hook_id), place=r.code(place))


def say_edited(r: Renderer, hook_id: int, place: str, by: DiscordUserId, *, is_added: bool) -> Text:
    """Say that an admin added a hook, or removed one."""
    return r.say(_EDITED[is_added], admin=r.person(by), id=r.id(hook_id), place=r.code(place))


def _field(r: Renderer, hook: Hook, deliveries: Sequence[Delivery], now: datetime) -> Field:
    name = r.say("{id}: {place}", id=r.id(hook.hook_id), place=hook.place)
    lines = [r.say("Gets {events}.", events=_events(r, hook))]
    if hook.off_at is not None and hook.off_reason is not None:
        lines.append(r.strong(r.say(_OFF[hook.off_reason], when=hook.off_at)))
    sent = r.bullets([_say_delivery(r, one, now) for one in deliveries]) or r.say("Nothing has been sent yet.")
    return Field(name, r.lines([*lines, sent]))


def _say_test_failure(r: Renderer, place: Text, answer: HookAnswer) -> Text:
    if answer.failure is not None:
        return r.say(_TEST_FAILURES[answer.failure], place=place)
    return r.say(
        "{place} didn't accept the test message: {what}. I need a status from 200 to 299.",
        place=place,
        what=_say_answer(r, answer),
    )


def _say_delivery(r: Renderer, delivery: Delivery, now: datetime) -> Text:
    event = r.code(delivery.type)
    if delivery.discord_user_id is not None:
        event = r.say("{event} for {person}", event=event, person=r.person(delivery.discord_user_id))
    return r.say("{when}: {event}, {what}", when=delivery.created_at, event=event, what=_say_state(r, delivery, now))


def _say_state(r: Renderer, delivery: Delivery, now: datetime) -> Text:
    answer = delivery.answer
    if answer is None:
        # Translators: How a message to a webhook stands, as in "2 minutes ago: role.granted, waiting".
        return r.say("waiting") if delivery.due_at is not None else r.say("not sent")
    what, tries = _say_answer(r, answer), delivery.tries
    if answer.is_success:
        return r.plural("delivered ({what})", "delivered after {count} tries ({what})", tries, what=what)
    if delivery.due_at is None:
        return r.plural("not delivered ({what})", "not delivered after {count} tries ({what})", tries, what=what)
    if delivery.due_at <= now:
        return r.plural(
            "not delivered yet ({what}), next try now",
            "not delivered after {count} tries ({what}), next try now",
            tries,
            what=what,
        )
    return r.plural(
        "not delivered yet ({what}), next try {when}",
        "not delivered after {count} tries ({what}), next try {when}",
        tries,
        what=what,
        when=delivery.due_at,
    )


def _say_answer(r: Renderer, answer: HookAnswer) -> Text:
    if answer.failure is not None:
        return r.say(_FAILURES[answer.failure])
    return r.say("status {status}", status=r.id(answer.status or 0))


def _events(r: Renderer, hook: Hook) -> Text:
    if set(hook.events) == set(HookEventType):
        return r.say("all events")
    return r.listing([r.code(one) for one in hook.events])
