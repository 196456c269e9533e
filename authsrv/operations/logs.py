"""Structured logs: one event a line, JSON for machines or text for a terminal; ours and the libraries' alike."""

import logging
import sys
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor

from authsrv.kit.clock import SystemClock

# Authlib's debug lines repeat tokens and the drivers' repeat parameters: never below INFO, whatever the setting.
_TALKATIVE = ("authlib", "sqlalchemy", "aiosqlite", "asyncpg", "httpx", "httpcore", "asyncio", "alembic")
_CLOCK = SystemClock()


def set_up_logs(form: Literal["", "text", "json"], level: str) -> None:
    """Sends all logs to standard error; an empty `form` chooses text on a terminal and JSON elsewhere."""
    as_text = form == "text" or (form == "" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True) if as_text else _stamp,
    ]
    rendering: list[Processor] = (
        # Plain tracebacks: the pretty ones show local variables, and with them secrets.
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if as_text
        else [structlog.processors.format_exc_info, _to_json]
    )
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=(
            structlog.PrintLoggerFactory(sys.stderr) if as_text else structlog.BytesLoggerFactory(sys.stderr.buffer)
        ),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[_without_internals, *rendering, *([] if as_text else [_to_text])],
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


def _stamp(_: object, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = _CLOCK.now()
    return event


def _to_json(_: object, __: str, event: EventDict) -> bytes:
    return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z)


def _to_text(_: object, __: str, line: Any) -> str:
    return str(line, "utf-8")
