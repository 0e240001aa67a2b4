"""Every error of ours, in one tree whose first fork is *what to do about it*. Knows no service and no text of a page.

    PledgekeeperError
    ├── TryLater              log it, go on with the next round; nothing is lost
    │   ├── PatreonUnavailable     no answer, a broken one, or a time-out
    │   │   └── PatreonUnreadable      an answer came, and makes no sense
    │   └── PatreonThrottled       asked to wait; says for how long
    ├── NeedsOwner            a person who runs the bot must act; say what to do
    │   ├── CredentialsDead        Patreon answered 401: the pair is worthless
    │   ├── PatreonRefused         Patreon understood and said no (scopes, a foreign campaign, a gone thing)
    │   │   └── ClientRefused          it refuses our client itself: a setting is wrong
    │   ├── SettingsInvalid        the program cannot start
    │   └── DatabaseLocked         another process works on this database
    └── UserMistake           tell the person who asked; nothing is wrong with us

A message has four parts: what failed, with which values, what we did instead, what to do now. It never holds a secret.
"""


class PledgekeeperError(Exception):
    """Something that Pledgekeeper foresaw."""


class TryLater(PledgekeeperError):
    """It may work next time; nothing was changed."""


class PatreonUnavailable(TryLater):
    """Patreon gave no usable answer; facts stay as they were."""


class PatreonUnreadable(PatreonUnavailable):
    """Patreon answered, and nobody can read it; to ask for the same at once brings the same."""


class PatreonThrottled(TryLater):
    """Patreon asked us to wait."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NeedsOwner(PledgekeeperError):
    """The person who runs the bot must do something."""


class CredentialsDead(NeedsOwner):
    """Patreon no longer accepts this token pair; consent is needed again."""


class PatreonRefused(NeedsOwner):
    """Patreon understood the request and refused it."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ClientRefused(PatreonRefused):
    """Patreon refused our client itself: its id, its secret, its redirect URI or its API version."""


class SettingsInvalid(NeedsOwner):
    """A setting is missing or wrong, in its form or as it turned out; the same start would fail again."""


class DatabaseLocked(NeedsOwner):
    """Another Pledgekeeper already works on this database."""


class UserMistake(PledgekeeperError):
    """The request itself cannot be carried out; the message says why and what to do."""
