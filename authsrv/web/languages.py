"""Which languages a caller asks for (RFC 9110, 12.5.4)."""

from starlette.requests import Request

# Nobody reads more of them.
_MOST = 20


def accepted_languages(request: Request) -> list[str]:
    """What Accept-Language names, the most wanted first; what cannot be read or is not wanted is left out."""
    weighed = []
    for place, part in enumerate(request.headers.get("accept-language", "").split(",")[:_MOST]):
        tag, _, parameter = part.strip().partition(";")
        quality = parameter.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag and weight > 0:
            weighed.append((-weight, place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]
