"""Creating an app: one form, and then its credentials with everything that makes a first sign-in work."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.oauth.clients import CLIENT_TYPES, METHOD_OF_TYPE
from authsrv.oauth.registration import (
    NewClient,
    add_secret,
    create_client,
    has_secret_method,
    new_client_id,
)
from authsrv.pages.developers.app_form import (
    AppForm,
    Faults,
    fault_of_redirect_uri,
    judge_form,
    read_form,
    scope_lines,
)
from authsrv.pages.developers.credentials import credentials_page
from authsrv.pages.developers.frame import show
from authsrv.pages.developers.guard import Developing, developer_page
from authsrv.pages.developers.places import find_service_places
from authsrv.storage.client_members import ADMIN, list_apps_of
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit
from authsrv.web.fields import read_fields
from authsrv.web.once import SentBefore, once_id, once_token
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.templates import language_of

_MOST_CHECKED = 30
_MOST_APPS = 100


@developer_page
async def ask(request: Request, person: SignedIn) -> Response:
    catalogue = runtime_of(request).server.scopes
    ticked = (name for kind in CLIENT_TYPES for name in catalogue.defaults(kind).split())
    form = AppForm(scopes=tuple(dict.fromkeys(ticked)))
    return _form_page(request, person, form, Faults(), await find_service_places(request, person))


@developer_page
async def create(request: Request, person: SignedIn) -> Response:
    """Makes the app, and answers with its credentials, the secret among them."""
    fields = await read_fields(request)
    runtime = runtime_of(request)
    stores = await find_service_places(request, person)
    form = read_form(fields)
    faults = judge_form(form, runtime.server.scopes, language_of(request), [store.prefix for store in stores])
    if faults:
        return _form_page(request, person, form, faults, stores, status=400)
    row_id = once_id(request, fields)
    client, secret = await runtime.database.transact(lambda unit: _create(unit, runtime, person, form, row_id))
    return await credentials_page(request, Developing(person, client, ADMIN), secret=secret, is_new=True)


@developer_page
async def check(request: Request, _: SignedIn) -> Response:
    """What is wrong with redirect URIs while they are typed: `?type=web&uri=…`, the verdicts in their order."""
    language, query = language_of(request), request.query_params
    verdicts = []
    for uri in query.getlist("uri")[:_MOST_CHECKED]:
        fault = fault_of_redirect_uri(uri, query.get("type", "web"))
        verdicts.append({"uri": uri, "fault": language.say(f"developers.uri_fault.{fault}") if fault else None})
    return JsonResponse(verdicts, headers=NO_STORE)


def _create(unit: Unit, runtime: Runtime, person: SignedIn, form: AppForm, row_id: UUID) -> tuple[Client, str | None]:
    if len(list_apps_of(unit, person.user_id)) >= _MOST_APPS:
        raise DomainError("too_many_apps", 409, f"A developer can have up to {_MOST_APPS} apps.")
    new = NewClient(
        developer=person.email,
        type=form.type,
        store=form.store or None,
        auth_method=METHOD_OF_TYPE[form.type],
        **form.wanted(runtime.server.scopes),
    )
    client_id = new_client_id(runtime.entropy)
    try:
        client = create_client(
            unit, new, client_id=client_id, actor=person.email, scopes=runtime.server.scopes, row_id=row_id
        )
    except IntegrityError:
        raise SentBefore from None
    has_secret = has_secret_method(client.token_endpoint_auth_method)
    return client, add_secret(unit, client, runtime.entropy) if has_secret else None


def _form_page(
    request: Request,
    person: SignedIn,
    form: AppForm,
    faults: Faults,
    stores: list[KnownStore],
    *,
    status: int = 200,
) -> Response:
    return show(
        request,
        person,
        "developers/new.html",
        status,
        calls_home=True,
        form=form,
        errors=faults.of_field,
        lines=faults.lines,
        kinds=CLIENT_TYPES,
        stores=stores,
        scopes=scope_lines(request),
        once=once_token(request),
    )
