"""Structured logs: one event a line, JSON for machines or text for a terminal; ours and the libraries' alike."""

import asyncio
import logging
import sys
from typing import Any, BinaryIO, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor

from authsrv.kit.clock import SystemClock
from authsrv.web.gate import Answered, Observer

# Authlib's debug lines repeat tokens and the drivers' repeat parameters: never below INFO, whatever the setting.
_TALKATIVE = ("authlib", "sqlalchemy", "aiosqlite", "asyncpg", "httpx", "httpcore", "asyncio", "alembic")
_CLOCK = SystemClock()
_requests = structlog.get_logger("authsrv.request")


def set_up_logs(form: Literal["", "text", "json"], level: str) -> Observer:
    """Sends all logs to standard error; an empty `form` chooses text on a terminal and JSON elsewhere.

    Returns what writes a line for each answered request.
    """
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
    return log_request if as_text or number > logging.INFO else RequestLines(sys.stderr.buffer)


def log_request(answered: Answered) -> None:
    """A line as all others are made, in whatever form the process logs in."""
    _requests.info("request", **_facts(answered))


class RequestLines:
    """The same line as JSON, without structlog's processors, and one write for all requests of a turn of the loop.

    This line is most of the log: made and flushed one by one, it cost more than signing a token.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: list[bytes] = []

    def __call__(self, answered: Answered) -> None:
        line = _facts(answered)
        line["event"], line["level"], line["timestamp"] = "request", "info", _CLOCK.now()
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(_to_json(None, "", line))

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        self._stream.write(b"\n".join(lines) + b"\n")
        self._stream.flush()


def _facts(answered: Answered) -> EventDict:
    return {
        "method": answered.method,
        "route": answered.route,
        "status": answered.status,
        "milliseconds": round(answered.seconds * 1000, 2),
        "client": answered.client_address,
        "request_id": answered.request_id,
    }


def _without_internals(_: object, __: str, event: EventDict) -> EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_, __, event)


def _stamp(_: object, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = _CLOCK.now()
    return event


def _to_json(_: object, __: str, event: EventDict) -> bytes:
    return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z)


def _to_text(_: object, __: str, line: Any) -> str:
    return str(line, "utf-8")
