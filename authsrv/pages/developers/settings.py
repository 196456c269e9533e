"""Settings: what people see of an app and where they come back to; its logo; its end."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.pictures import BadPicture
from authsrv.oauth.client_changes import Changed, change_client
from authsrv.oauth.client_deletion import delete_client
from authsrv.oauth.client_logos import give_logo, take_logo
from authsrv.pages.developers.app_form import (
    AppForm,
    Faults,
    fitting_scopes,
    form_of,
    judge_form,
    read_form,
    scope_lines,
)
from authsrv.pages.developers.frame import back_to, show_app
from authsrv.pages.developers.guard import Developing, app_action, app_page, app_upload, change_app
from authsrv.pages.developers.places import find_service_places
from authsrv.storage.approvals import CHANGE, ApprovalRequest, find_open_request
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of, redirect

_TAB = "settings"


@app_page
async def show(request: Request, developing: Developing) -> Response:
    return await _page(request, developing, form_of(developing.client), Faults())


@app_action
async def save(request: Request, developing: Developing, fields: Fields) -> Response:
    """Saves what was typed; a new name or redirect URI of an approved app waits for the operator."""
    runtime, client = runtime_of(request), developing.client
    scopes = runtime.server.scopes
    form = read_form(fields, client.type)
    faults = judge_form(form, scopes, language_of(request), None)
    if client.store_id is not None and not set(fitting_scopes(form, scopes)) <= set(client.scope.split()):
        places = await find_service_places(request, developing.person)
        if client.store_id not in {place.id for place in places}:
            faults.of_field["scope"] = language_of(request).say("developers.fault.scope_of_store")
    if faults:
        return await _page(request, developing, form, faults, status=400)
    wanted = form.wanted(scopes)
    actor = developing.person.email

    def work(unit: Unit, client: Client) -> Changed:
        return change_client(unit, client, wanted, actor=actor, scopes=scopes, is_operator=False)

    changed = await change_app(request, developing, work)
    return back_to(request, developing, _TAB, done="change_asked" if changed.waiting else "settings")


@app_upload
async def upload_logo(request: Request, developing: Developing, picture: bytes) -> Response:
    """Keeps a PNG made anew of the picture's pixels: nothing else of the file is kept."""
    runtime = runtime_of(request)
    try:
        png = await runtime.painter.draw(picture)
    except BadPicture as bad:
        fault = language_of(request).say(f"developers.fault.logo_{bad.fault}")
        return await _page(request, developing, form_of(developing.client), Faults({"logo": fault}), status=400)

    issuer, actor = runtime.settings.issuer, developing.person.email
    await change_app(request, developing, lambda unit, client: give_logo(unit, client, png, issuer=issuer, actor=actor))
    return back_to(request, developing, _TAB, done="logo", fragment="logo")


@app_action
async def drop_logo(request: Request, developing: Developing, _: Fields) -> Response:
    actor = developing.person.email
    await change_app(request, developing, lambda unit, client: take_logo(unit, client, actor=actor))
    return back_to(request, developing, _TAB, done="logo_removed", fragment="logo")


@app_action
async def delete(request: Request, developing: Developing, fields: Fields) -> Response:
    """Deletes the app, once its name was typed."""
    typed = " ".join(fields.one("name_again").split())
    if typed != developing.client.name:
        fault = language_of(request).say("developers.fault.name_again")
        faults = Faults({"name_again": fault})
        return await _page(request, developing, form_of(developing.client), faults, typed=typed, status=400)
    actor = developing.person.email
    await change_app(request, developing, lambda unit, client: delete_client(unit, client, actor=actor))
    return redirect(request, "/developers", done="deleted")


async def _page(
    request: Request,
    developing: Developing,
    form: AppForm,
    faults: Faults,
    *,
    typed: str = "",
    status: int = 200,
) -> Response:
    client = developing.client

    def look(unit: Unit) -> ApprovalRequest | None:
        return find_open_request(unit, client.id, CHANGE) if client.approved_at else None

    waiting = await runtime_of(request).database.transact(look, read_only=True)
    wanted: dict[str, Any] = waiting.wanted or {} if waiting else {}
    return show_app(
        request,
        developing,
        "developers/settings.html",
        status,
        tab=_TAB,
        calls_home=True,
        client=client,
        form=form,
        errors=faults.of_field,
        lines=faults.lines,
        scopes=scope_lines(request),
        waiting=waiting,
        wanted=wanted,
        typed=typed,
    )
