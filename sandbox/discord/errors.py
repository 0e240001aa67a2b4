"""The refusals of the stand-in: to the bot in Discord's own shape, to a person as an `ActionError`.

Codes and texts: Discord docs, "Opcodes and Status Codes" (JSON Error Codes) and "Reference" (Error Messages).
"""

from sandbox.discord.model import Json


class ActionError(Exception):
    """A person tried what Discord would not let them do; the message says why."""


class ApiError(Exception):
    """A request that Discord refuses with `status` and a JSON body."""

    def __init__(self, status: int, code: int, message: str, **extra: object) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body: Json = {"message": message, "code": code, **extra}


TEXTS = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    10066: (404, "Unknown application command permissions"),
    20001: (403, "Bots cannot use this endpoint"),
    20012: (403, "You are not authorized to perform this action on this application"),
    30005: (400, "Maximum number of guild roles reached (250)"),
    30034: (400, "Max number of application command creates has been reached (200)"),
    40003: (403, "You are opening direct messages too fast"),
    40060: (400, "Interaction has already been acknowledged."),
    40333: (403, "internal network error"),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50028: (400, "Invalid Role"),
    50033: (400, "Invalid Recipient(s)"),
    50035: (400, "Invalid Form Body"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    60003: (403, "Two factor is required for this operation"),
}


def refusal(code: int) -> ApiError:
    """Return Discord's refusal with this JSON error code."""
    status, message = TEXTS[code]
    return ApiError(status, code, message)


def unauthorized() -> ApiError:
    return ApiError(401, 0, "401: Unauthorized")


def not_served(what: str) -> ApiError:
    """Return the answer to what Discord does and this stand-in does not: never a pretence."""
    return ApiError(501, 0, f"The stand-in Discord does not serve {what}")


class Problems:
    """Collects what is wrong with a form, by path ("options.0.name"), and refuses it as code 50035."""

    def __init__(self) -> None:
        self.tree: Json = {}

    def add(self, path: str, code: str, message: str) -> None:
        """Note one problem at `path`; the empty path is the whole body."""
        node = self.tree
        for part in path.split(".") if path else []:
            node = node.setdefault(part, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: str) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def bad_type(self, path: str, wanted: str) -> None:
        self.add(path, f"{wanted.upper()}_TYPE_CONVERT", f"Value is not of type {wanted}.")

    def length(self, path: str, text: str, *, low: int = 0, high: int) -> None:
        """Note a text shorter than `low` or longer than `high`."""
        if low and len(text) < low:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        elif len(text) > high:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")

    def text(self, path: str, value: object, *, low: int = 0, high: int) -> None:
        """Note a value that is no text of `low` to `high` characters; None passes unless `low`."""
        if value is None and not low:
            return
        if value is None:
            self.required(path)
        elif not isinstance(value, str):
            self.bad_type(path, "string")
        else:
            self.length(path, value, low=low, high=high)

    def number(self, path: str, value: object, low: int, high: int) -> None:
        """Note a value that is no whole number from `low` to `high`; None passes."""
        if value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool):
            self.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < low:
            self.add(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {low}.")
        elif value > high:
            self.add(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")

    def refuse_if_any(self) -> None:
        """Raise 50035 if anything was noted."""
        if self.tree:
            raise ApiError(400, 50035, "Invalid Form Body", errors=self.tree)


def invalid(path: str, code: str, message: str) -> ApiError:
    """Return a refusal of a form with one problem."""
    problems = Problems()
    problems.add(path, code, message)
    return ApiError(400, 50035, "Invalid Form Body", errors=problems.tree)
