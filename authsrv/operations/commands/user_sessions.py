"""`authsrv users sessions|sign-out`: where a person is signed in, and ending it, as they do at their account page."""

from typing import Annotated, Any

import typer

from authsrv.identity.signing_out import sign_out_everywhere, sign_out_session
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.operations.commands.user_rows import get_person, sessions_of
from authsrv.storage.unit import Unit


def sessions(email: str, as_json: AsJson = False) -> None:
    """Where a person is signed in, the latest used first."""

    def work(unit: Unit, tools: Tools) -> list[dict[str, Any]]:
        return [
            {
                "id": str(session.id),
                "created_at": session.created_at.isoformat(),
                "seen_at": session.seen_at.isoformat(),
                "address": session.address,
                "user_agent": session.user_agent,
            }
            for session in sessions_of(tools).list_living(unit, get_person(unit, email).id)
        ]

    columns = ("id", "created_at", "seen_at", "address", "user_agent")
    show_many(run(work), as_json=as_json, columns=columns, nothing="Signed in nowhere.")


def sign_out(
    email: str,
    session: Annotated[str | None, typer.Option(metavar="ID", help="This one; all of them when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """End a person's sessions, all or one; apps that asked for it hear of the logout."""

    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        user, living = get_person(unit, email), sessions_of(tools)
        if session is None:
            ended = sign_out_everywhere(unit, living, user.id, email=user.email, actor=ACTOR)
            return {"email": user.email, "ended": ended}
        session_id = parse_uuid(session)
        if session_id is None or not sign_out_session(unit, living, user.id, session_id, email=user.email, actor=ACTOR):
            raise DomainError("not_found", 404, f"{user.email} has no session {session}.")
        return {"email": user.email, "ended": 1}

    show_one(run(work), as_json=as_json)
