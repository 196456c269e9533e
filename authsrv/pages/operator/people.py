"""`/operator/people` and `/operator/stores`: who and what there is, and suspending a person."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.identity.suspension import resume_person, suspend_person
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.pages.desk import show_desk
from authsrv.pages.leafing import PAGE, before_of, cut, words_of
from authsrv.pages.operator.acts import Asked, ask, fault_of, reason_in
from authsrv.pages.operator.frame import DESK
from authsrv.pages.operator.guard import not_there, operator_page, weighty_action, weighty_page
from authsrv.storage.audit import list_audit_events
from authsrv.storage.client_members import list_apps_of
from authsrv.storage.grants import list_user_grants
from authsrv.storage.lookups import (
    count_roles,
    list_store_roles,
    search_stores,
    search_users,
)
from authsrv.storage.store_apps import list_store_apps
from authsrv.storage.store_people import list_staff
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user_by_id
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect

_EVENTS = 20
ACTS = {"suspend": suspend_person, "resume": resume_person}


@operator_page
async def search(request: Request, person: SignedIn) -> Response:
    words, before = words_of(request), before_of(request)

    def look(unit: Unit) -> list[User]:
        return search_users(unit, words, before=before, limit=PAGE + 1)

    rows, has_more = cut(await runtime_of(request).database.transact(look, read_only=True))
    last = rows[-1].id if rows else None
    return show_desk(
        request,
        person,
        DESK,
        "operator/people.html",
        tab="people",
        words=words,
        people=rows,
        has_more=has_more,
        last=last,
    )


@operator_page
async def show(request: Request, person: SignedIn) -> Response:
    sessions = runtime_of(request).sessions

    def look(unit: Unit) -> dict[str, Any]:
        user = _get_user(unit, request)
        return {
            "user": user,
            "roles": list_store_roles(unit, user.id),
            "developed": list_apps_of(unit, user.id),
            "connected": list_user_grants(unit, user.id),
            "sessions": len(sessions.list_living(unit, user.id)),
            "events": list_audit_events(unit, subject=user.email, limit=_EVENTS),
        }

    found = await runtime_of(request).database.transact(look, read_only=True)
    return show_desk(
        request, person, DESK, "operator/person.html", tab="people", is_self=found["user"].id == person.user_id, **found
    )


@weighty_page
async def ask_act(request: Request, person: SignedIn) -> Response:
    user = await runtime_of(request).database.transact(lambda unit: _get_user(unit, request), read_only=True)
    key = _act(request)
    if not _fits(key, user, person):
        return redirect(request, _path(user), done="nothing")
    return ask(request, person, _asked(user, key))


@weighty_action
async def do_act(request: Request, person: SignedIn, fields: Fields) -> Response:
    key, reason = _act(request), reason_in(fields)
    sessions = runtime_of(request).sessions

    def do(unit: Unit) -> tuple[User, bool]:
        user = _get_user(unit, request)
        if not _fits(key, user, person):
            return user, False
        tokens_end_at = unit.now() + LONGEST_TOKEN
        if fault_of(reason) is not None:
            return user, True
        return user, ACTS[key](unit, user, sessions, tokens_end_at, actor=person.email, reason=reason)

    user, done = await runtime_of(request).database.transact(do)
    if done and (fault := fault_of(reason)):
        return ask(request, person, _asked(user, key), reason=reason, error=fault, status=400)
    return redirect(request, _path(user), done=f"person_{key}" if done else "nothing")


@operator_page
async def search_shops(request: Request, person: SignedIn) -> Response:
    words, before = words_of(request), before_of(request)

    def look(unit: Unit) -> list[Any]:
        return search_stores(unit, words, before=before, limit=PAGE + 1)

    rows, has_more = cut(await runtime_of(request).database.transact(look, read_only=True))
    last = rows[-1].id if rows else None
    return show_desk(
        request,
        person,
        DESK,
        "operator/stores.html",
        tab="stores",
        words=words,
        stores=rows,
        has_more=has_more,
        last=last,
    )


@operator_page
async def show_shop(request: Request, person: SignedIn) -> Response:
    prefix = request.path_params["prefix"]

    def look(unit: Unit) -> dict[str, Any]:
        store = find_store(unit, prefix) if "\0" not in prefix else None
        if store is None:
            raise not_there()
        return {
            "store": store,
            "counts": count_roles(unit, store.id),
            "staff": list_staff(unit, store.id),
            "connected": list_store_apps(unit, store.id),
            "events": list_audit_events(unit, subject=store.prefix, limit=_EVENTS),
        }

    found = await runtime_of(request).database.transact(look, read_only=True)
    return show_desk(request, person, DESK, "operator/store.html", tab="stores", **found)


def _get_user(unit: Unit, request: Request) -> User:
    user_id = parse_uuid(request.path_params["person"])
    user = find_user_by_id(unit, user_id) if user_id else None
    if user is None:
        raise not_there()
    return user


def _act(request: Request) -> str:
    key: str = request.path_params["act"]
    if key not in ACTS:
        raise not_there()
    return key


def _fits(key: str, user: User, person: SignedIn) -> bool:
    """Nobody suspends themselves: who would undo it?"""
    return user.id != person.user_id and (user.suspended_at is None) == (key == "suspend")


def _path(user: User) -> str:
    return f"/operator/people/{user.id}"


def _asked(user: User, key: str) -> Asked:
    path = _path(user)
    return Asked(f"person_{key}", "people", user.email, path, f"{path}/{key}", key == "suspend")
