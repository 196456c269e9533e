"""The mails that invite somebody: into an app's team, or to work in a store."""

from authsrv.kit.mail import Mail
from authsrv.web.notices import Post, word_notice
from authsrv.web.texts import Language


def word_team_invitation(post: Post, language: Language, *, to: str, app: str, who: str, role: str, link: str) -> Mail:
    """`link` is the sealed text that `invite_member` gave."""
    words = {"app": app, "who": who, "role": language.say(f"developers.role_{role}")}
    return _word(post, language, "invitation_mail", words, to=to, path=f"/developers/invitations/{link}")


def word_staff_invitation(
    post: Post, language: Language, *, to: str, store: str, who: str, role: str, link: str
) -> Mail:
    """`link` is the sealed text that `invite_staff` gave."""
    words = {"store": store, "who": who, "role": language.say(f"store.role_{role}")}
    return _word(post, language, "store_mail", words, to=to, path=f"/invitations/{link}")


def _word(post: Post, language: Language, mail: str, words: dict[str, str], *, to: str, path: str) -> Mail:
    return word_notice(
        post,
        language,
        to=to,
        subject=language.say(f"{mail}.subject", **words),
        lines=[language.say(f"{mail}.text", **words), language.say(f"{mail}.how", email=to)],
        link=post.issuer + path,
        link_text=language.say(f"{mail}.link"),
    )
