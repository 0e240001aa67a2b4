"""What is logged, and how: structlog to standard output, with the standard library's loggers led through the same pipe.

Ours follow LOG_LEVEL. Everybody else's stay at WARNING or above, for at DEBUG they print message bodies, interaction
tokens and query strings. No secret is logged on purpose; `mask` is the last line of defence for the texts of errors.
"""

import logging
import logging.config
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

OURS = ("bot", "cogs", "sandbox")

_MASKED = (
    # The callback's query, and any other that carries a code or state.
    re.compile(r"(?P<keep>[?&](?:code|state)=)[^&\s\"'<>]+"),
    # Form fields, JSON members and keyword arguments whose name says what they hold.
    re.compile(
        r"(?P<keep>\w*(?:token|secret|password)\"?'?\s*[=:]\s*[bB]?[\"']?)(?!\*)[^\s&\"',;)}<>]{8,}", re.IGNORECASE
    ),
    re.compile(r"(?P<keep>\b(?:Bearer|Bot)\s+)[\w.~+/=-]{16,}"),
    # An interaction's token stands in the path (Discord docs, Receiving and Responding to Interactions).
    re.compile(r"(?P<keep>/(?:webhooks|interactions)/\d+/)[\w.-]{16,}"),
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


def mask(text: str) -> str:
    """Put stars in the place of whatever looks like a code, a state or a token."""
    for pattern in _MASKED:
        text = pattern.sub(r"\g<keep>***", text)
    return text


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # as plain text: prettier tracebacks print local variables
        _mask_values,
    ]


def _mask_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _mask_value(value) for key, value in event.items()}


def _mask_value(value: Any) -> Any:
    if isinstance(value, BaseException):
        value = repr(value)
    return mask(value) if isinstance(value, str) else value


def _renderer(style: str) -> Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(default=_plain)
    return structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )


def _plain(value: Any) -> str:
    return mask(repr(value))
