"""The map of the house, pinned: a path that is added, moved or lost is seen here first."""

from starlette.routing import compile_path

from authsrv.routes import DOORS, VOICES, build_routes, metadata_paths

MAP = {
    "/": "GET",
    "/.well-known/oauth-authorization-server": "GET",
    "/.well-known/oauth-protected-resource": "GET",
    "/.well-known/oauth-protected-resource/{path:path}": "GET",
    "/.well-known/openid-configuration": "GET",
    "/account": "GET",
    "/account/apps": "POST",
    "/account/name": "POST",
    "/account/sessions": "POST",
    "/consent": "GET POST",
    "/dev/outbox": "GET",
    "/dev/outbox.json": "GET",
    "/docs": "GET",
    "/healthz": "GET",
    "/metrics": "GET",
    "/oauth/authorize": "GET POST",
    "/oauth/introspect": "POST",
    "/oauth/jwks": "GET",
    "/oauth/logout": "GET POST",
    "/oauth/revoke": "POST",
    "/oauth/token": "POST",
    "/oauth/userinfo": "GET POST",
    "/openapi.json": "GET",
    "/orders": "GET POST",
    "/orders/{order_id}": "DELETE GET PUT",
    "/readyz": "GET",
    "/sign-in": "GET POST",
    "/sign-in/code": "GET POST",
    "/sign-in/password": "GET POST",
    "/sign-in/resend": "POST",
    "/sign-out": "GET POST",
    "/static/{name}": "GET",
}
OPEN_TO_SCRIPTS = {
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/{path:path}",
    "/.well-known/openid-configuration",
    "/oauth/jwks",
    "/oauth/revoke",
    "/oauth/token",
    "/oauth/userinfo",
    "/openapi.json",
    "/orders",
    "/orders/{order_id}",
}


def test_the_map_is_this() -> None:
    assert {door.path: " ".join(sorted(door.handlers)) for door in DOORS} == MAP


def test_scripts_of_other_origins_reach_these_and_no_others() -> None:
    assert {door.path for door in DOORS if door.cors} == OPEN_TO_SCRIPTS


def test_no_path_stands_in_the_map_twice_and_none_hides_another() -> None:
    paths = [door.path for door in DOORS]
    assert len(set(paths)) == len(paths)
    for later, path in enumerate(paths):
        if "{" not in path:
            hiding = [earlier for earlier in paths[:later] if compile_path(earlier)[0].match(path)]
            assert hiding == []


def test_what_is_routed_is_the_map() -> None:
    # Starlette answers HEAD wherever it answers GET.
    routed = {route.path: " ".join(sorted((route.methods or set()) - {"HEAD"})) for route in build_routes()}
    assert routed == MAP


def test_the_metadata_names_routed_paths_alone() -> None:
    assert set(metadata_paths().values()) <= set(MAP)


def test_every_voice_belongs_to_a_part_of_the_map() -> None:
    for prefix, _ in VOICES:
        assert [path for path in MAP if path == prefix or path.startswith(f"{prefix}/")]
