"""What the commands that invite somebody share: one transaction, the mail after it, and what is shown of both."""

from collections.abc import Callable

from authsrv.kit.mail import Mail
from authsrv.operations.commands.mailing import NOT_SENT, Postman, require_issuer
from authsrv.operations.commands.running import Tools, run, show_one
from authsrv.storage.database import Database
from authsrv.storage.unit import Unit
from authsrv.web.invitation_mails import Invited
from authsrv.web.notices import Post
from authsrv.web.texts import Language


def invite_by_mail(
    make: Callable[[Unit, Tools], Invited], word: Callable[[Post, Language, Invited], Mail], *, as_json: bool
) -> None:
    """Stores the invitation, mails it, and says whether the mail left."""
    sent: list[bool] = []

    def work(unit: Unit, tools: Tools) -> Invited:
        require_issuer(tools)
        return make(unit, tools)

    async def tell(invited: Invited, tools: Tools, database: Database) -> None:
        postman = Postman(tools, database)
        sent.append(await postman.send(word(postman.post, postman.language, invited)))

    invited = run(work, afterwards=tell)
    shown = {"email": invited.email, "role": invited.role, "invited_by": invited.by, "mailed": sent[0]}
    show_one(shown, as_json=as_json, note="" if sent[0] else NOT_SENT)
