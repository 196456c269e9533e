"""A person at a browser, for a script: goes where an app's link leads, and prints the code the app would get."""

import sys
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.clients.customer import Customer


def main() -> None:
    server, link = sys.argv[1:]
    with Customer(server, f"{uuid4().hex[:12]}@example.com") as somebody:
        arrived = somebody.go(link)
    print(parse_qs(urlsplit(arrived).query)["code"][0])


if __name__ == "__main__":
    main()
