"""A person with a browser, who signs in with the code from the mail and allows what the app asks for."""

import re
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from tests.people import forms_of
from tests.support.plain_http import NO_TLS

MOST_PAGES = 20


class Customer:
    """Goes where an app sends them, and does what the pages ask."""

    def __init__(self, shop_url: str, email: str) -> None:
        self.email = email
        self._shop_url = shop_url
        self._browser = httpx.Client(verify=NO_TLS, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._browser.close()

    def go(self, url: str) -> str:
        """The address outside the shop that the browser is sent to in the end."""
        response = self._browser.get(url)
        for _ in range(MOST_PAGES):
            if response.is_redirect:
                target = urljoin(str(response.url), response.headers["location"])
                if not target.startswith(self._shop_url):
                    return target
                response = self._browser.get(target)
            else:
                response = self._fill_in(response)
        raise AssertionError("the pages have no end")

    def is_signed_in(self) -> bool:
        """Whether the shop still knows them."""
        return self._browser.get(f"{self._shop_url}/account").status_code == httpx.codes.OK

    def _fill_in(self, page: httpx.Response) -> httpx.Response:
        assert page.status_code == httpx.codes.OK, page.text
        answers = {
            "/sign-in": lambda: {"email": self.email},
            "/sign-in/code": lambda: {"code": self._code_from_the_mail()},
            "/consent": lambda: {"decision": "allow"},
        }
        path = urlsplit(str(page.url)).path
        assert path in answers, f"{path} is not on the way: {page.text}"
        form = forms_of(page)[0]
        written = answers[path]()
        fields: dict[str, list[str]] = {name: [value] for name, value in written.items()}
        for name, value in form.fields:
            if name not in written:
                fields.setdefault(name, []).append(value)
        return self._browser.post(urljoin(str(page.url), form.action), data=fields)

    def _code_from_the_mail(self) -> str:
        mails = self._browser.get(f"{self._shop_url}/dev/outbox.json").json()
        newest = next(mail for mail in mails if mail["to"] == self.email)
        code = re.search(r"\b\d{6}\b", newest["subject"])
        assert code, newest["subject"]
        return code[0]
