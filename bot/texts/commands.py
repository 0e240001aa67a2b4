"""What Discord shows of our commands while somebody types: descriptions, options and choices.

Discord gets all languages at once (`discord/translator.py`); names of commands and options stay English. Each text has
at most 100 signs in every language, and a whole command 8,000 (discord-api-docs, Application Commands).
"""

from bot.domain.model import HandEdits, Mode, RuleKind
from bot.texts.renderer import N_

LINK = N_("Link your Patreon account to get the roles you pay for")
UNLINK = N_("Unlink your Patreon account and give up the roles that came with it")
MEMBERSHIP = N_("See your Patreon membership, your roles, and why you have them")

PATREON = N_("Roles for your patrons")
SYNC = N_("Check Patreon now and update everyone's roles")
PREVIEW = N_("See what the next sync would change, without changing anything")
HOLDS = N_("Review the role removals I'm holding back, and decide what happens")
BELIEVE = N_("Accept Patreon's latest member list, even though it looks wrong")
CONNECT = N_("Get a link that lets a creator connect their campaign to this server")

DISCONNECT = N_("Disconnect a campaign, and end its rules and my access to it")
DISCONNECT_OPTIONS = {
    "campaign": N_("Which campaign"),
    "roles": N_("What happens to the roles that its rules assigned"),
}

SETUP = N_("Set up roles for your tiers, step by step; nothing changes before you go live")

WHY = N_("Explain why someone has a role, or doesn't")
WHY_OPTIONS = {"user": N_("Whose roles to explain")}

PATRONS = N_("See your patrons, who has roles without paying, or download a list")
PATRONS_OPTIONS = {
    "view": N_("What to show (default: the list)"),
    "amounts": N_("Put what people pay into the file, too (for view: export)"),
}
PATRON_VIEWS = {
    "list": N_("list: everyone, page by page"),
    "access": N_("access: roles that don't match pledges"),
    "export": N_("export: a file for spreadsheets"),
}

STATS = N_("See how many patrons you have by tier, and how many joined and left, with a chart")
STATS_OPTIONS = {"days": N_("How many days to show (7 to 365; default: 30)")}

DOCTOR = N_("Find out why roles don't come, and what to do about it")
DOCTOR_OPTIONS = {"user": N_("Look at one person's roles too")}

UNLINK_PERSON = N_("Unlink someone's Patreon account and remove the roles it gave them")
UNLINK_PERSON_OPTIONS = {"user": N_("Who to unlink")}

ADOPT = N_("Let me manage a role that people already have; you'll see who first")
ADOPT_OPTIONS = {"role": N_("A role that one of your rules assigns")}

RESTORE = N_("Let me assign a role again after someone removed it manually")
RESTORE_OPTIONS = {"user": N_("Who lost the role"), "role": N_("Which role")}

AUDIT = N_("See what I changed, for whom and why")
AUDIT_OPTIONS = {
    "user": N_("Only what concerns this person"),
    "role": N_("Only what concerns this role"),
    "run": N_("Only one run, by its number from the log channel"),
}
UNDO = N_("Undo the role changes of one run; you'll see first who gets or loses a role")
UNDO_OPTIONS = {"run": N_("The run's number from /patreon audit or the log channel")}

SETTINGS = N_("See this server's settings, or change them")
SETTINGS_OPTIONS = {
    "mode": N_("What I may do with roles"),
    "grace_days": N_("How many days to keep roles after a declined payment (0 to 60)"),
    "brake_percent": N_("Ask you before removing more than this percentage of roles in a day (1 to 100; 100 is off)"),
    "hand_edits": N_("What to do when someone removes one of my roles manually"),
    "zero_link": N_("Link people automatically when Patreon already knows their Discord account"),
    "decline_dm": N_("Send patrons a direct message when their payment is declined"),
    "log_channel": N_("Where I report changes and problems"),
    "no_log_channel": N_("Set to True to stop using a log channel"),
    "language": N_("The language of the log channel"),
}

API = N_("Let other programs read who is a patron in this server")
API_CREATE = N_("Create a token for a program that may read who is a patron here")
API_CREATE_OPTIONS = {"label": N_("Which program will use it, like whitelist; you'll see this in the list")}
API_LIST = N_("See which programs may read who is a patron here, and when they last did")
API_REVOKE = N_("Revoke a token, so that the program that uses it can't read anything anymore")
API_REVOKE_OPTIONS = {"token": N_("Which token, by its label or its number")}

COMP = N_("Give roles without a pledge, to guests or winners")
COMP_ADD = N_("Give someone a role without a pledge, or change until when and why")
COMP_ADD_OPTIONS = {
    "user": N_("Who gets the role; they don't need a Patreon account"),
    "role": N_("The role to assign: below my highest role and below yours"),
    "until": N_("When it ends: a day like 2027-01-31, a number of days like 30d, or never"),
    "reason": N_("Why they get it; they can read this"),
}
COMP_LIST = N_("See who has a role without a pledge, and until when")
COMP_REMOVE = N_("End a role that was given without a pledge")
COMP_REMOVE_OPTIONS = {"user": N_("Who has the role"), "role": N_("Which role")}

HOOKS = N_("Let your own program know when roles or memberships change")
HOOKS_ADD = N_("Send events of this server to an address of yours; you'll see the secret once")
HOOKS_ADD_OPTIONS = {
    "url": N_("Where to send them, like https://example.com/webhooks"),
    "events": N_("Which ones, like role.granted membership.ended (default: all)"),
}
HOOKS_LIST = N_("See this server's webhooks, and whether the last messages arrived")
HOOKS_REMOVE = N_("Remove a webhook, and what is waiting to be sent to it")
HOOKS_REMOVE_OPTIONS = {"hook_id": N_("The webhook's number from /patreon hooks list")}
HOOKS_TEST = N_("Send a webhook a test message now, and see whether it arrives")
HOOKS_TEST_OPTIONS = {"hook_id": N_("The webhook's number from /patreon hooks list")}

RULE = N_("Which role goes with which pledge")
RULE_ADD = N_("Assign a role to a Patreon tier, or to another kind of pledge")
RULE_ADD_OPTIONS = {
    "role": N_("The role to assign: below my highest role and below yours"),
    "kind": N_("What earns the role"),
    "tier": N_("Which tier (for kind: tier)"),
    "amount": N_("How much at least, in the campaign's currency, like 5.00 (for kind: amount or lifetime)"),
    "months": N_("How many full months at least (for kind: months)"),
    "keep_days": N_("How many days people keep the role once they don't earn it anymore (0 to 90)"),
    "campaign": N_("Which campaign, if this server follows several"),
}
RULE_EDIT = N_("Change a rule; you'll see first who gets or loses a role")
RULE_EDIT_OPTIONS = {
    "rule_id": N_("The rule's number from /patreon rule list"),
    "role": N_("Another role to assign"),
    "tier": N_("Which tier (for kind: tier)"),
    "amount": N_("How much at least, in the campaign's currency, like 5.00 (for kind: amount or lifetime)"),
    "months": N_("How many full months at least (for kind: months)"),
    "keep_days": N_("How many days people keep the role once they don't earn it anymore (0 to 90)"),
}
RULE_GROUP = N_("Give people only the highest of several roles; without options, see the groups")
RULE_GROUP_OPTIONS = {"roles": N_("The roles, highest first, like @Gold @Silver; one role alone ends its group")}
RULE_LIST = N_("See this server's rules and their numbers")
RULE_REMOVE = N_("Remove a rule, and the roles that only it assigned")
RULE_REMOVE_OPTIONS = {"rule_id": N_("The rule's number from /patreon rule list")}

KINDS = {
    RuleKind.TIER: N_("tier: has a certain tier"),
    RuleKind.PAYING: N_("paying: any paid pledge"),
    RuleKind.AMOUNT: N_("amount: pledges at least this much a month"),
    RuleKind.LIFETIME: N_("lifetime: has paid this much in total"),
    RuleKind.MONTHS: N_("months: has paid for this many months"),
    RuleKind.FREE: N_("free: a free member"),
    RuleKind.FORMER: N_("former: used to pay, but doesn't anymore"),
}
MODES = {
    Mode.SYNC: N_("sync: I add and remove roles"),
    Mode.GRANT_ONLY: N_("grant_only: I add roles, but never remove any"),
    Mode.OFF: N_("off: I don't change any roles"),
}
AUTOMATIC_LANGUAGE = N_("auto: this server's own language")
HAND_EDITS = {
    HandEdits.RESPECT: N_("respect: a role that someone removes stays removed"),
    HandEdits.ENFORCE: N_("enforce: I assign it again as long as it's earned"),
}
ROLES = {
    "remove": N_("remove: remove the roles that only its rules assigned"),
    "keep": N_("keep: let people keep them"),
}
