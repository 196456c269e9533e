"""The mails that invite somebody: into an app's team, or to work in a store."""

from dataclasses import dataclass

from authsrv.kit.mail import Mail
from authsrv.web.notices import Post, word_notice
from authsrv.web.texts import Language


@dataclass(frozen=True, slots=True)
class Invited:
    """Who (an address) is invited by whom, into what and as what; `link` is the sealed text that storing it gave."""

    email: str
    into: str
    role: str
    by: str
    link: str


def word_team_invitation(post: Post, language: Language, invited: Invited) -> Mail:
    """Into the team of an app."""
    words = {"app": invited.into, "who": invited.by, "role": language.say(f"developers.role_{invited.role}")}
    path = f"/developers/invitations/{invited.link}"
    return _word(post, language, "invitation_mail", words, to=invited.email, path=path)


def word_staff_invitation(post: Post, language: Language, invited: Invited) -> Mail:
    """To work in a store."""
    words = {"store": invited.into, "who": invited.by, "role": language.say(f"store.role_{invited.role}")}
    return _word(post, language, "store_mail", words, to=invited.email, path=f"/invitations/{invited.link}")


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
