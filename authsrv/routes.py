"""The map: every path, its methods and who answers, on one page."""

from collections.abc import Sequence

from starlette.routing import Route, compile_path

from authsrv.dialects import customer_api, order_api, storefront, vend
from authsrv.endpoints import authorize, introspect, logout, register, revoke, token, userinfo, well_known
from authsrv.operations import probes
from authsrv.pages import account, api_passwords, consent, logos, outbox, password, sign_in, sign_out, static
from authsrv.pages.developers import apps, credentials, deliveries, events, new_app, overview, settings, team, trying
from authsrv.pages.developers import keys as app_keys
from authsrv.pages.developers import usage as app_usage
from authsrv.pages.developers import webhooks as app_webhooks
from authsrv.pages.operator import approvals as operator_approvals
from authsrv.pages.operator import apps as operator_apps
from authsrv.pages.operator import audit as operator_audit
from authsrv.pages.operator import people as operator_people
from authsrv.pages.store import apps as store_apps
from authsrv.pages.store import customers as store_customers
from authsrv.pages.store import staff as store_staff
from authsrv.web.doors import Dialect, Door, Doorkeeper
from authsrv.web.gate import GateRules
from authsrv.web.page import refusal_page
from authsrv.web.store_hosts import IssuersRoute
from authsrv.web.voices import Voices, protocol_voice

# Other APIs' words for what the house does. One that is left out here, and its folder with it, is gone.
DIALECTS: tuple[Dialect, ...] = (
    order_api,
    storefront,
    customer_api,
    vend,
)

DOORS = (
    # Asked for most often, first: the router looks from the top.
    Door("/oauth/token", {"POST": token.token}, metadata="token_endpoint", cors=True),
    Door("/oauth/introspect", {"POST": introspect.introspect}, metadata="introspection_endpoint"),
    *(door for dialect in DIALECTS for door in dialect.DOORS),
    # the standards
    Door(
        "/oauth/authorize",
        {"GET": authorize.authorize, "POST": authorize.authorize},
        metadata="authorization_endpoint",
    ),
    Door("/oauth/revoke", {"POST": revoke.revoke}, metadata="revocation_endpoint", cors=True),
    Door(
        "/oauth/userinfo",
        {"GET": userinfo.userinfo, "POST": userinfo.userinfo},
        metadata="userinfo_endpoint",
        cors=True,
    ),
    Door("/oauth/logout", {"GET": logout.logout, "POST": logout.logout}, metadata="end_session_endpoint"),
    Door("/oauth/register", {"POST": register.register}, metadata="registration_endpoint", cors=True),
    Door(
        "/oauth/register/{client_id}",
        {"GET": register.read, "PUT": register.change, "DELETE": register.remove},
        cors=True,
    ),
    Door("/consent", {"GET": consent.show, "POST": consent.decide}),
    Door("/oauth/jwks", {"GET": well_known.jwks}, metadata="jwks_uri", cors=True),
    Door("/.well-known/oauth-authorization-server", {"GET": well_known.authorization_server}, cors=True),
    Door("/.well-known/openid-configuration", {"GET": well_known.openid_configuration}, cors=True),
    Door("/.well-known/oauth-protected-resource", {"GET": well_known.protected_resource}, cors=True),
    Door("/.well-known/oauth-protected-resource/{path:path}", {"GET": well_known.protected_resource}, cors=True),
    # the pages for people
    Door("/", {"GET": account.lead_there}),
    Door("/sign-in", {"GET": sign_in.ask_email, "POST": sign_in.take_email}),
    Door("/sign-in/code", {"GET": sign_in.ask_code, "POST": sign_in.take_code}),
    Door("/sign-in/resend", {"POST": sign_in.resend}),
    Door("/sign-in/password", {"GET": password.ask_password, "POST": password.take_password}),
    Door("/sign-out", {"GET": sign_out.ask_sign_out, "POST": sign_out.sign_out}),
    Door("/account", {"GET": account.show}),
    Door("/account/name", {"POST": account.change_name}),
    Door("/account/sessions", {"POST": account.end_session}),
    Door("/account/apps", {"POST": account.disconnect}),
    Door("/account/api-password", {"POST": api_passwords.make}),
    Door("/account/api-password/revoke", {"POST": api_passwords.revoke}),
    # the portal
    Door("/developers", {"GET": apps.show_apps}),
    Door("/developers/new", {"GET": new_app.ask, "POST": new_app.create}),
    Door("/developers/check", {"GET": new_app.check}),
    Door("/developers/invitations/{invitation}", {"GET": team.ask_join, "POST": team.join}),
    Door("/developers/apps/{app}", {"GET": overview.show}),
    Door("/developers/apps/{app}/approval", {"POST": overview.ask}),
    Door("/developers/apps/{app}/approval/withdraw", {"POST": overview.withdraw}),
    Door("/developers/apps/{app}/credentials", {"GET": credentials.show}),
    Door("/developers/apps/{app}/secrets", {"POST": credentials.add}),
    Door("/developers/apps/{app}/secrets/end", {"POST": credentials.end}),
    Door("/developers/apps/{app}/public-keys", {"POST": credentials.change}),
    Door("/developers/apps/{app}/settings", {"GET": settings.show, "POST": settings.save}),
    Door("/developers/apps/{app}/logo", {"POST": settings.upload_logo}, largest_body=600_000),
    Door("/developers/apps/{app}/logo/remove", {"POST": settings.drop_logo}),
    Door("/developers/apps/{app}/delete", {"POST": settings.delete}),
    Door("/developers/apps/{app}/events", {"GET": events.show}),
    Door("/developers/apps/{app}/team", {"GET": team.show_team, "POST": team.invite}),
    Door("/developers/apps/{app}/team/role", {"POST": team.change_role}),
    Door("/developers/apps/{app}/team/remove", {"POST": team.remove}),
    Door("/developers/apps/{app}/team/leave", {"POST": team.leave}),
    Door("/developers/apps/{app}/team/revoke", {"POST": team.revoke}),
    Door("/developers/apps/{app}/try", {"GET": trying.show, "POST": trying.begin}),
    Door("/developers/try/callback", {"GET": trying.finish}),
    Door("/logos/{logo}.png", {"GET": logos.serve}),
    Door("/developers/apps/{app}/keys", {"GET": app_keys.show, "POST": app_keys.create}),
    Door("/developers/apps/{app}/keys/{key}/revoke", {"POST": app_keys.revoke}),
    Door("/developers/apps/{app}/usage", {"GET": app_usage.show}),
    Door("/developers/apps/{app}/webhooks", {"GET": app_webhooks.show_all, "POST": app_webhooks.create}),
    Door("/developers/apps/{app}/webhooks/{webhook}", {"GET": app_webhooks.show, "POST": app_webhooks.change}),
    Door("/developers/apps/{app}/webhooks/{webhook}/do/{act}", {"POST": app_webhooks.act}),
    Door("/developers/apps/{app}/webhooks/{webhook}/secret", {"POST": app_webhooks.rotate}),
    Door("/developers/apps/{app}/webhooks/{webhook}/redeliver", {"POST": deliveries.send_again}),
    Door("/developers/apps/{app}/webhooks/{webhook}/deliveries/{delivery}", {"GET": deliveries.show}),
    # a store
    Door("/store", {"GET": store_apps.choose}),
    Door("/store/{prefix}", {"GET": store_apps.show}),
    Door("/store/{prefix}/apps/disconnect", {"POST": store_apps.disconnect}),
    Door("/store/{prefix}/keys/revoke", {"POST": store_apps.revoke_key}),
    Door("/store/{prefix}/webhooks/remove", {"POST": store_apps.remove_webhook}),
    Door("/store/{prefix}/customers", {"GET": store_customers.show, "POST": store_customers.change}),
    Door("/store/{prefix}/customers/all", {"POST": store_customers.change_all}),
    Door("/store/{prefix}/staff", {"GET": store_staff.show, "POST": store_staff.invite}),
    Door("/store/{prefix}/staff/remove", {"POST": store_staff.remove}),
    Door("/store/{prefix}/staff/invitations/revoke", {"POST": store_staff.revoke}),
    Door("/invitations/{invitation}", {"GET": store_staff.ask_join, "POST": store_staff.join}),
    # the operator
    Door("/operator", {"GET": operator_approvals.queue}),
    Door("/operator/requests/{request}", {"GET": operator_approvals.ask_decision, "POST": operator_approvals.decide}),
    Door("/operator/apps", {"GET": operator_apps.search}),
    Door("/operator/apps/{app}", {"GET": operator_apps.show}),
    Door("/operator/apps/{app}/{act}", {"GET": operator_apps.ask_act, "POST": operator_apps.do_act}),
    Door("/operator/people", {"GET": operator_people.search}),
    Door("/operator/people/{person}", {"GET": operator_people.show}),
    Door("/operator/people/{person}/{act}", {"GET": operator_people.ask_act, "POST": operator_people.do_act}),
    Door("/operator/stores", {"GET": operator_people.search_shops}),
    Door("/operator/stores/{prefix}", {"GET": operator_people.show_shop}),
    Door("/operator/audit", {"GET": operator_audit.show}),
    Door("/operator/audit.csv", {"GET": operator_audit.export}),
    Door("/dev/outbox", {"GET": outbox.show}),
    Door("/dev/outbox.json", {"GET": outbox.as_json}),
    Door("/static/{name}", {"GET": static.serve}, at_stores=True),
    # what watches over us
    Door("/healthz", {"GET": probes.health}, at_stores=True),
    Door("/readyz", {"GET": probes.ready}, at_stores=True),
    Door("/metrics", {"GET": probes.metrics}, at_stores=True),
)

# How errors are worded below a path; elsewhere as a page for who asks for one, else the standards' way.
VOICES = (
    *(voice for dialect in DIALECTS for voice in dialect.VOICES),
    ("/oauth/token", protocol_voice),
    ("/oauth/introspect", protocol_voice),
    ("/oauth/revoke", protocol_voice),
    ("/oauth/userinfo", protocol_voice),
    ("/oauth/register", protocol_voice),
    ("/.well-known", protocol_voice),
)


def build_routes(dialects: Sequence[Dialect] = DIALECTS) -> list[Route]:
    return [_route(door) for door in _doors(dialects)]


def gate_rules(dialects: Sequence[Dialect] = DIALECTS) -> GateRules:
    doors = _doors(dialects)
    fixed = (door.path.partition("{")[0] for door in doors if door.cors)
    headers = dict.fromkeys(name for door in doors for name in door.cors_headers)
    unheard = {path for dialect in DIALECTS if dialect not in dialects for path, _ in dialect.VOICES}
    return GateRules(
        cors_prefixes=tuple(fixed),
        cors_headers=tuple(headers),
        largest_bodies=tuple((compile_path(door.path)[0], door.largest_body) for door in doors if door.largest_body),
        voices=Voices(tuple(voice for voice in VOICES if voice[0] not in unheard), refusal_page),
    )


def metadata_paths() -> dict[str, str]:
    return {door.metadata: door.path for door in DOORS if door.metadata}


def _doors(dialects: Sequence[Dialect]) -> list[Door]:
    """All but those of the dialects that are not among these."""
    closed = {door.path for dialect in DIALECTS if dialect not in dialects for door in dialect.DOORS}
    return [door for door in DOORS if door.path not in closed]


def _route(door: Door) -> Route:
    kind = Route if door.at_stores else IssuersRoute
    return kind(door.path, Doorkeeper(door.handlers), methods=list(door.handlers))
