"""The mail that tells an app's admins what the operator decided."""

from authsrv.kit.mail import Mail
from authsrv.oauth.approvals import ApprovalDecision
from authsrv.web.notices import Post, send_notice, word_notice
from authsrv.web.texts import DEFAULT


async def tell_decision(post: Post, decision: ApprovalDecision) -> int:
    """One mail to each admin, after the commit; how many were sent. Who cannot be reached reads it in the portal."""
    return sum([await send_notice(post, word_decision(post, decision, email)) for email in decision.emails])


def word_decision(post: Post, decision: ApprovalDecision, email: str) -> Mail:
    # Nobody's browser asked for it, so nobody's language is known.
    language = post.stationery.texts.of(DEFAULT)
    outcome = f"{decision.kind}_{'approved' if decision.is_approved else 'refused'}"
    return word_notice(
        post,
        language,
        to=email,
        subject=language.say(f"approval_mail.{outcome}_subject", app=decision.app_name),
        lines=[
            language.say(f"approval_mail.{outcome}", app=decision.app_name),
            language.say("approval_mail.reason", reason=decision.reason) if decision.reason else "",
        ],
        link=f"{post.issuer}/developers/apps/{decision.client_id}",
        link_text=language.say("approval_mail.link"),
    )
