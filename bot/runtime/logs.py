"""What is logged, and how: structlog to standard output, with the standard library's loggers led through the same pipe.

Ours follow LOG_LEVEL. Everybody else's stay at WARNING or above, for at DEBUG they print message bodies, interaction
tokens and query strings. No secret is logged on purpose; `mask` is the last line of defence for the texts of errors.

What is logged may be a stranger's: each text is cut before anything looks at it, and each pattern takes time in
proportion to the text's length. So none begins with what it may find at every place of a long word.

docs/logs.md has every event and field. `block` is no field: several lines for people, in place of the fields.
"""

import itertools
import logging
import logging.config
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.domain.errors import PledgekeeperError

OURS = ("bot", "cogs", "sandbox")

HEAD = {"timestamp", "level", "event", "logger"}  # what stands before the fields of a line
MAX_CHARACTERS = 16_384  # of one text: any traceback that is worth reading
MAX_ITEMS = 100  # of one list
DOTS = "." * 16  # stand for the rest of a secret that was cut through, so that what is left of it is masked too

_MASKED = (
    # The callback's query, and any other that carries a code or state.
    re.compile(r"(?P<keep>[?&](?:code|state)=)[^&\s\"'<>]+"),
    # Form fields, JSON members and keyword arguments whose name says what they hold.
    re.compile(
        r"(?P<keep>(?:token|secret|password)\"?'?\s*+[=:]\s*+[bB]?[\"']?)(?!\*)[^\s&\"',;)}<>]{8,}", re.IGNORECASE
    ),
    re.compile(r"(?P<keep>\b(?:Bearer|Bot)\s++)[\w.~+/=-]{16,}"),
    # A user's password in an address.
    re.compile(r"(?P<keep>://[^\s:/@]{0,100}+:)[^\s@/]{1,500}+(?=@)"),
    # An interaction's token stands in the path (Discord docs, Receiving and Responding to Interactions).
    re.compile(r"(?P<keep>/(?:webhooks|interactions)/\d++/)[\w.-]{16,}"),
)


def configure_logging(level: str, style: str) -> None:
    """Send everything to standard output; `style` is `console` or `json`."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(style)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)


@contextmanager
def watched_log(note: Callable[[str, str], None]) -> Iterator[None]:
    """Tell `note` of each warning and error, by level and event, until the block ends.

    What a library logs goes by the library's name: its texts are without number.
    """
    watch = _Watch(note)
    root = logging.getLogger()
    root.addHandler(watch)
    try:
        yield
    finally:
        root.removeHandler(watch)


class _Watch(logging.Handler):
    def __init__(self, note: Callable[[str, str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of one; ours come as a dictionary (structlog's `wrap_for_formatter`)."""
        event = record.msg.get("event") if isinstance(record.msg, dict) else record.name.partition(".")[0]
        self._note("warning" if record.levelno < logging.ERROR else "error", str(event))


def mask(text: str) -> str:
    """Put stars in the place of whatever looks like a code, a state or a token, in the part that is kept."""
    length = len(text)
    if length > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS] + DOTS
    for pattern in _MASKED:
        text = pattern.sub(r"\g<keep>***", text)
    return text if length <= MAX_CHARACTERS else f"{text} (cut: {length} characters)"


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _shorten_foreseen,
        structlog.processors.format_exc_info,  # as plain text: prettier tracebacks print local variables
        _mask_values,
    ]


def _shorten_foreseen(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put an error of ours in one line: its code and facts say all, and where it was raised says nothing more."""
    raised = event.get("exc_info")
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, PledgekeeperError):
        event["exc_info"] = None
        event["why"] = str(error)
    return event


def _mask_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    # What begins with an underscore is structlog's own, and is not printed.
    return {key: value if key.startswith("_") else _mask_value(value) for key, value in event.items()}


def _mask_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list | tuple | set | frozenset):
        kept = [_mask_value(one) for one in itertools.islice(value, MAX_ITEMS)]
        return kept if len(value) <= MAX_ITEMS else [*kept, f"… ({len(value)} in all)"]
    return mask(repr(value))


def _renderer(style: str) -> Processor:
    if style == "json":
        as_json = structlog.processors.JSONRenderer()

        def render_json(logger: WrappedLogger, method: str, event: EventDict) -> str | bytes:
            event.pop("block", None)
            return as_json(logger, method, event)

        return render_json
    as_line = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )

    def render_line(logger: WrappedLogger, method: str, event: EventDict) -> str:
        block = event.pop("block", None)
        if block is None:
            return as_line(logger, method, event)
        head = {key: value for key, value in event.items() if key in HEAD}
        return f"{as_line(logger, method, head)}\n{block}"

    return render_line
