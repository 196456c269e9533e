"""`/dev/outbox`: the mails a demo did not send. Outside a demo there is no such page."""

from datetime import UTC

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.storage.mails import Mail, list_mails
from authsrv.web.page import page
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import render


@page
async def show(request: Request) -> Response:
    return render(request, "outbox.html", mails=await _mails(request))


async def as_json(request: Request) -> Response:
    """`[{"to", "subject", "text", "sent_at"}]`, newest first."""
    rows = [
        {
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "sent_at": mail.sent_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        }
        for mail in await _mails(request)
    ]
    return JsonResponse(rows, headers=NO_STORE)


async def _mails(request: Request) -> list[Mail]:
    if not runtime_of(request).settings.demo:
        raise DomainError("not_found", 404, "There is nothing at this path.")
    return await runtime_of(request).database.transact(list_mails, read_only=True)
