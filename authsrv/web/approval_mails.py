"""The mail that tells an app's admins what the operator decided."""

from authsrv.kit.mail import Mail
from authsrv.oauth.approvals import ApprovalDecision
from authsrv.web.notices import send_notice, word_notice
from authsrv.web.runtime import Runtime
from authsrv.web.texts import DEFAULT


async def tell_decision(runtime: Runtime, decision: ApprovalDecision) -> None:
    """One mail to each admin, after the commit. Who cannot be reached reads it in the portal."""
    for email in decision.emails:
        await send_notice(runtime, word_decision(runtime, decision, email))


def word_decision(runtime: Runtime, decision: ApprovalDecision, email: str) -> Mail:
    # Nobody's browser asked for it, so nobody's language is known.
    language = runtime.stationery.texts.of(DEFAULT)
    outcome = f"{decision.kind}_{'approved' if decision.is_approved else 'refused'}"
    return word_notice(
        runtime,
        language,
        to=email,
        subject=language.say(f"approval_mail.{outcome}_subject", app=decision.app_name),
        lines=[
            language.say(f"approval_mail.{outcome}", app=decision.app_name),
            language.say("approval_mail.reason", reason=decision.reason) if decision.reason else "",
        ],
        link=f"{runtime.settings.issuer}/developers/apps/{decision.client_id}",
        link_text=language.say("approval_mail.link"),
    )
