"""What pages and mails are written with: templates, texts in every language, and the files they link."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from authsrv.web.assets import Assets
from authsrv.web.texts import Language, Texts

_FOLDER = Path(__file__).parent.parent / "pages"


class Stationery:
    """The templates, the texts and the files they link."""

    def __init__(self) -> None:
        self.texts = Texts(_FOLDER / "texts")
        self.assets = Assets(_FOLDER / "static")
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=select_autoescape(["html"], default=True, disabled_extensions=["txt"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def fill(self, name: str, language: Language, /, **context: object) -> str:
        """A template as text, for what is not a page."""
        template = self._environment.get_template(name)
        return template.render(t=language.say, m=language.markup, lang=language.tag, **context)
