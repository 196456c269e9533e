"""`POST /api/customer/oauth/access-token`: client credentials of one customer, as a form (RFC 6749, 4.4)."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.customer_api.answers import CompressedJson
from authsrv.dialects.customer_api.transport import transported
from authsrv.kit.errors import DomainError
from authsrv.web.forms import Form, read_form
from authsrv.web.protocol import ask
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import prefix_of
from authsrv.web.token_requests import count_token_request, find_proven

_PATH = "/api/customer/oauth/access-token"
# Not the name of a scope: whatever the password may do.
_ALL = "all"


@transported
async def token(request: Request) -> Response:
    """A token for the customer whose password this is."""
    form = await read_form(request)
    await count_token_request(request, form)
    _judge_grant(form)
    await _judge_client(request, form)
    engine = runtime_of(request).server.answer_token_request
    asks_all = [value for name, value in form if name == "scope" and value] == [_ALL]
    engine_form = [pair for pair in form if pair[0] != "scope"] if asks_all else form
    status, body, headers = await ask(request, _PATH, engine, engine_form, from_memory=True)
    if status >= 400:
        kept = {name: value for name, value in headers if name.lower() == "www-authenticate"}
        raise DomainError(body["error"], status, body.get("error_description", ""), headers=kept)
    answer = {
        "_type": "AccessToken",
        "token_type": body["token_type"],
        "expires_in": body["expires_in"],
        "access_token": body["access_token"],
    }
    return CompressedJson(answer)


def _judge_grant(form: Form) -> None:
    """One that is missing is the engine's to refuse."""
    if any(name == "grant_type" and value not in {"", "client_credentials"} for name, value in form):
        raise DomainError("unsupported_grant_type", 400, "The grant_type must be client_credentials.")


async def _judge_client(request: Request, form: Form) -> None:
    """Raises `unauthorized_client` for one that has proved itself and yet may not (RFC 6749, 5.2)."""
    client = await find_proven(request, form)
    if client is None:
        return
    if client.acts_for is None:
        raise _refused("This client is not the API password of a customer.")
    if client.store != prefix_of(request):
        raise _refused("This API password is for another store.")
    if client.is_suspended:
        raise _refused("The store does not allow this customer to use the Customer API.")


def _refused(description: str) -> DomainError:
    return DomainError("unauthorized_client", 400, description)
