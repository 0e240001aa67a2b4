"""What `python run.py backup` and `restore` say, in a terminal's English: nothing is marked for translators."""

from bot.domain.restored import OldPair, RestoreReport
from bot.texts.renderer import Renderer, Text

_MADE = "Wrote {path} and checked it: {links} linked people, {roles} roles. Only this user may read it."
_DROPPED = "Deleted {count} older backups, as --keep says."
_DROPPED_ONE = "Deleted 1 older backup, as --keep says."
_KEYS = "It opens only with the keys in ENCRYPTION_KEYS: keep those in another place."
_RESTORED = "Restored the backup of {when}."
_SETTLED = "The restored database is ready."
_KEPT = "The old database is kept as {path}. Delete it once everything works."
_UNLINKED = (
    "{count} person has unlinked since, and stays unlinked.",
    "{count} people have unlinked since, and stay unlinked.",
)
_REVOKED = (
    "{count} API token or webhook has been revoked since, and stays revoked.",
    "{count} API tokens or webhooks have been revoked since, and stay revoked.",
)
_DISOWNED = (
    "I no longer manage {count} role, because I can't tell whose it is by now. Whoever has it keeps it.",
    "I no longer manage {count} roles, because I can't tell whose they are by now. Whoever has them keeps them.",
)
_COMPS = ("{count} comp now ends in a week at the earliest.", "{count} comps now end in a week at the earliest.")
_PAIR = (
    "Patreon may no longer accept the access to {campaigns}. If the log channel says so, run /patreon connect again "
    "in server {servers}."
)
_PAIR_OF_SETTINGS = (
    "Patreon may no longer accept the creator's tokens (for {campaigns}). If python run.py check says so, replace "
    "PATREON_CREATOR_ACCESS_TOKEN and PATREON_CREATOR_REFRESH_TOKEN."
)
_NO_CAMPAIGN = "no campaign yet"
_CONSENTS = (
    "The same goes for the own access of {count} patron. They're asked to type /link again if it's needed.",
    "The same goes for the own access of {count} patrons. They're asked to type /link again if it's needed.",
)
_NEXT = (
    "Now start the bot. It changes no role before it has read Patreon's member list, and for a day it asks each "
    "server's admins before it removes any."
)


def say_backup(r: Renderer, path: str, *, links: int, roles: int, dropped: int) -> Text:
    """Say what was written, and what else is needed to use it one day."""
    return r.lines(
        [
            r.say(_MADE, path=r.verbatim(path), links=links, roles=roles),
            *([r.say(_DROPPED if dropped > 1 else _DROPPED_ONE, count=dropped)] if dropped else []),
            r.say(_KEYS),
        ]
    )


def say_restore(r: Renderer, report: RestoreReport) -> Text:
    """Say what was restored, what became of the rest, and what to look after now."""
    taken = _RESTORED if report.taken_at is not None else _SETTLED
    return r.lines(
        [
            r.say(taken, when=report.taken_at or ""),
            *([r.say(_KEPT, path=r.verbatim(report.kept_as))] if report.kept_as else []),
            *([r.plural(*_UNLINKED, report.unlinked)] if report.unlinked else []),
            *([r.plural(*_REVOKED, report.revoked)] if report.revoked else []),
            *([r.plural(*_DISOWNED, report.disowned)] if report.disowned else []),
            *([r.plural(*_COMPS, report.comps)] if report.comps else []),
            *(_say_pair(r, pair) for pair in report.old_pairs),
            *([r.plural(*_CONSENTS, report.old_consents)] if report.old_consents else []),
            r.say(_NEXT),
        ]
    )


def _say_pair(r: Renderer, pair: OldPair) -> Text:
    campaigns = r.listing([r.name(name) for name in pair.campaigns]) if pair.campaigns else r.say(_NO_CAMPAIGN)
    if pair.is_of_settings:
        return r.say(_PAIR_OF_SETTINGS, campaigns=campaigns)
    return r.say(_PAIR, campaigns=campaigns, servers=r.listing([r.id(guild_id) for guild_id in pair.guild_ids]))
