"""The map of the house, pinned: a path that is added, moved or lost is seen here first."""

from starlette.routing import compile_path

from authsrv.routes import DIALECTS, DOORS, VOICES, build_routes, metadata_paths

# What dialects bring is pinned beside their own tests: one can go without a trace here.
MAP = {
    "/": "GET",
    "/.well-known/oauth-authorization-server": "GET",
    "/.well-known/oauth-protected-resource": "GET",
    "/.well-known/oauth-protected-resource/{path:path}": "GET",
    "/.well-known/openid-configuration": "GET",
    "/account": "GET",
    "/account/api-password": "POST",
    "/account/api-password/revoke": "POST",
    "/account/apps": "POST",
    "/account/name": "POST",
    "/account/sessions": "POST",
    "/consent": "GET POST",
    "/dev/outbox": "GET",
    "/dev/outbox.json": "GET",
    "/developers": "GET",
    "/developers/apps/{app}": "GET",
    "/developers/apps/{app}/approval": "POST",
    "/developers/apps/{app}/approval/withdraw": "POST",
    "/developers/apps/{app}/credentials": "GET",
    "/developers/apps/{app}/delete": "POST",
    "/developers/apps/{app}/events": "GET",
    "/developers/apps/{app}/logo": "POST",
    "/developers/apps/{app}/logo/remove": "POST",
    "/developers/apps/{app}/public-keys": "POST",
    "/developers/apps/{app}/secrets": "POST",
    "/developers/apps/{app}/secrets/end": "POST",
    "/developers/apps/{app}/settings": "GET POST",
    "/developers/apps/{app}/team": "GET POST",
    "/developers/apps/{app}/team/leave": "POST",
    "/developers/apps/{app}/team/remove": "POST",
    "/developers/apps/{app}/team/revoke": "POST",
    "/developers/apps/{app}/team/role": "POST",
    "/developers/apps/{app}/try": "GET POST",
    "/developers/check": "GET",
    "/developers/invitations/{invitation}": "GET POST",
    "/developers/new": "GET POST",
    "/developers/try/callback": "GET",
    "/logos/{logo}.png": "GET",
    "/healthz": "GET",
    "/metrics": "GET",
    "/oauth/authorize": "GET POST",
    "/oauth/introspect": "POST",
    "/oauth/jwks": "GET",
    "/oauth/logout": "GET POST",
    "/oauth/register": "POST",
    "/oauth/register/{client_id}": "DELETE GET PUT",
    "/oauth/revoke": "POST",
    "/oauth/token": "POST",
    "/oauth/userinfo": "GET POST",
    "/developers/apps/{app}/keys": "GET POST",
    "/developers/apps/{app}/keys/{key}/revoke": "POST",
    "/developers/apps/{app}/usage": "GET",
    "/developers/apps/{app}/webhooks": "GET POST",
    "/developers/apps/{app}/webhooks/{webhook}": "GET POST",
    "/developers/apps/{app}/webhooks/{webhook}/deliveries/{delivery}": "GET",
    "/developers/apps/{app}/webhooks/{webhook}/do/{act}": "POST",
    "/developers/apps/{app}/webhooks/{webhook}/redeliver": "POST",
    "/developers/apps/{app}/webhooks/{webhook}/secret": "POST",
    "/invitations/{invitation}": "GET POST",
    "/store": "GET",
    "/store/{prefix}": "GET",
    "/store/{prefix}/apps/disconnect": "POST",
    "/store/{prefix}/customers": "GET POST",
    "/store/{prefix}/customers/all": "POST",
    "/store/{prefix}/keys/revoke": "POST",
    "/store/{prefix}/staff": "GET POST",
    "/store/{prefix}/staff/invitations/revoke": "POST",
    "/store/{prefix}/staff/remove": "POST",
    "/store/{prefix}/webhooks/remove": "POST",
    "/operator": "GET",
    "/operator/apps": "GET",
    "/operator/apps/{app}": "GET",
    "/operator/apps/{app}/{act}": "GET POST",
    "/operator/audit": "GET",
    "/operator/audit.csv": "GET",
    "/operator/people": "GET",
    "/operator/people/{person}": "GET",
    "/operator/people/{person}/{act}": "GET POST",
    "/operator/requests/{request}": "GET POST",
    "/operator/stores": "GET",
    "/operator/stores/{prefix}": "GET",
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
    "/oauth/register",
    "/oauth/register/{client_id}",
    "/oauth/revoke",
    "/oauth/token",
    "/oauth/userinfo",
}
# Those that tell of the process, and what pages anywhere are drawn with.
AT_STORES = {"/healthz", "/metrics", "/readyz", "/static/{name}"}
OF_DIALECTS = {door.path for dialect in DIALECTS for door in dialect.DOORS}
HOUSE = [door for door in DOORS if door.path not in OF_DIALECTS]


def test_the_map_is_this() -> None:
    assert {door.path: " ".join(sorted(door.handlers)) for door in HOUSE} == MAP


def test_scripts_of_other_origins_reach_these_and_no_others() -> None:
    assert {door.path for door in HOUSE if door.cors} == OPEN_TO_SCRIPTS


def test_on_the_hosts_of_stores_the_house_shows_these_and_no_others() -> None:
    assert {door.path for door in HOUSE if door.at_stores} == AT_STORES


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
    assert routed == {door.path: " ".join(sorted(door.handlers)) for door in DOORS}


def test_the_metadata_names_routed_paths_alone() -> None:
    assert set(metadata_paths().values()) <= set(MAP)


def test_every_voice_belongs_to_a_part_of_the_map() -> None:
    for prefix, _ in VOICES:
        assert [door for door in DOORS if door.path == prefix or door.path.startswith(f"{prefix}/")]
