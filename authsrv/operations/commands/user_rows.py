"""What the commands on people share: finding a person, and their sessions as the server has them."""

from typing import Any

from authsrv.identity.emails import normal_email
from authsrv.identity.sessions import Sessions
from authsrv.kit.clock import SystemClock
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import Identifiers
from authsrv.oauth.clients import ClientDirectory
from authsrv.oauth.keyring import Keyring
from authsrv.oauth.logout_tokens import BackchannelLogout
from authsrv.operations.commands.running import Tools
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user


def get_person(unit: Unit, email: str) -> User:
    """Raises not_found."""
    address = normal_email(email)
    user = find_user(unit, address)
    if user is None:
        raise DomainError("not_found", 404, f"There is no person {address}.")
    return user


def described_person(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "is_operator": user.is_operator,
        "status": "suspended" if user.suspended_at else "active",
        "created_at": user.created_at.isoformat(),
    }


def sessions_of(tools: Tools) -> Sessions:
    """As the server has them: apps that asked for it are told that the sessions ended."""
    clock, limits = SystemClock(), tools.settings.sessions
    sessions = Sessions(tools.sealer, idle_seconds=limits.idle_seconds, absolute_seconds=limits.absolute_seconds)
    logout = BackchannelLogout(
        issuer=tools.settings.issuer,
        keyring=Keyring(tools.vault("signing key"), clock),
        clients=ClientDirectory(),
        identifiers=Identifiers(clock, tools.entropy),
        clock=clock,
    )
    sessions.on_end(logout.queue_logouts)
    return sessions
