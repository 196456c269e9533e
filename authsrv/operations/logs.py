"""Structured logs: one event a line, JSON for machines or text for a terminal; ours and the libraries' alike."""

import logging
import sys
from typing import Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor

# Authlib's debug lines repeat tokens and the drivers' repeat parameters: never below INFO, whatever the setting.
_TALKATIVE = ("authlib", "sqlalchemy", "aiosqlite", "asyncpg", "httpx", "httpcore", "asyncio", "alembic")


def set_up_logs(form: Literal["", "text", "json"], level: str) -> None:
    """Sends all logs to standard error; an empty `form` chooses text on a terminal and JSON elsewhere."""
    as_text = form == "text" or (form == "" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        # Plain tracebacks: the pretty ones show local variables, and with them secrets.
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if as_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json)]
    )
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[_without_internals, *rendering],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _without_internals(_: object, __: str, event: EventDict) -> EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_, __, event)


def _to_json(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()
