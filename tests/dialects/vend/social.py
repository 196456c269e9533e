"""An app that logs retailers in with social-auth-core, as its users write one: a strategy, a storage, and the backend.

Only host names differ from what the backend has built in: `request` and the authorization URL lead to our server.
"""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from requests import Response
from social_core.backends.vend import VendOAuth2
from social_core.storage import BaseStorage, NonceMixin, UserMixin
from social_core.strategy import BaseStrategy

from tests.support.world import World

CALLBACK = "https://shopper.example/complete/vend"
_VENDS_HOST = re.compile(r"https://([a-z0-9-]+)\.vendhq\.com")


@dataclass(eq=False)
class LocalUser:
    """Somebody in the app's own database."""

    username: str
    email: str
    id: int = 1
    is_active: bool = True
    is_authenticated: bool = True


@dataclass(eq=False)
class SocialUser(UserMixin):
    """The tie between a local user and the retailer."""

    provider: str = ""
    uid: str = ""
    user: Any = None
    extra_data: dict[str, Any] = field(default_factory=dict)
    known: ClassVar[dict[tuple[str, str], "SocialUser"]] = {}

    def save(self) -> None:
        self.known[(self.provider, self.uid)] = self

    @classmethod
    def get_social_auth(cls, provider: str, uid: str, id_key: str | None = None) -> "SocialUser | None":
        return cls.known.get((provider, uid))

    @classmethod
    def create_social_auth(cls, user: Any, uid: str, provider: str, id_key: str | None = None) -> "SocialUser":
        social = cls(provider=provider, uid=uid, user=user)
        social.save()
        return social

    @classmethod
    def create_user(cls, *_: object, **values: Any) -> LocalUser:
        return LocalUser(values["username"], values["email"])

    @classmethod
    def user_exists(cls, *_: object, **__: object) -> bool:
        return False

    @classmethod
    def username_max_length(cls) -> int:
        return 100

    @classmethod
    def get_username(cls, user: Any) -> str:
        name: str = user.username
        return name

    @classmethod
    def changed(cls, user: Any) -> None:
        """Nothing is kept beyond the test."""


class Nonces(NonceMixin):
    """States that were handed out, each to be used once."""

    open: ClassVar[set[tuple[str, int, str]]] = set()

    @classmethod
    def use(cls, server_url: str, timestamp: int, salt: str) -> bool:
        cls.open.add((server_url, timestamp, salt))
        return True

    @classmethod
    def consume(cls, server_url: str, timestamp: int, salt: str) -> bool:
        known = (server_url, timestamp, salt) in cls.open
        cls.open.discard((server_url, timestamp, salt))
        return known


class Storage(BaseStorage):
    user = SocialUser
    nonce = Nonces

    @classmethod
    def is_integrity_error(cls, exception: BaseException) -> bool:
        return False


class Strategy(BaseStrategy[Any]):
    """The web framework's part: settings, a session, and the request that came to the callback."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(Storage)
        self.settings = settings
        self.session: dict[str, Any] = {}
        self.arrived: dict[str, Any] = {}

    def get_setting(self, name: str) -> Any:
        return self.settings[name]

    def get_request_data(self, merge: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  # its base's own
        return self.arrived

    def build_absolute_uri(self, path: str | None = None) -> str:
        return path or ""

    def session_get(self, name: str, default: Any = None) -> Any:
        return self.session.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        self.session[name] = value

    def session_pop(self, name: str) -> Any:
        return self.session.pop(name, None)


class OurVend(VendOAuth2[Any]):
    """The backend with the host names of our server in place of Vend's."""

    def __init__(self, world: World, strategy: Strategy) -> None:
        super().__init__(strategy, CALLBACK)
        self._world = world

    def authorization_url(self) -> str:
        url: str = super().authorization_url()
        return url.replace("https://secure.vendhq.com", self._world.url)

    def request(self, url: str, **asked: Any) -> Response:
        prefix = _VENDS_HOST.match(url)
        assert prefix is not None
        host = f"{prefix[1]}.localhost:{urlsplit(self._world.url).port}"
        headers = {**(asked.pop("headers", None) or {}), "Host": host}
        return super().request(_VENDS_HOST.sub(self._world.url, url), headers=headers, **asked)
