"""How a template becomes a page."""

from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.pages.atlas.places import places_part
from app.pages.compare.comparison import compare_part
from app.pages.front.sources import about_part
from app.pages.front.years import trend_part
from app.pages.language import LANGUAGES, Language
from app.pages.wording import wording

_TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, language: Language, **told: Any) -> str:
    """The page that templates/`template` is in `language`, of what it is `told`."""
    return _environment(language).get_template(template).render(**told)


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    words = wording(language)
    translations = words.translations
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        translations.gettext, translations.ngettext, newstyle=True
    )
    for part in (trend_part, places_part, compare_part, about_part):
        environment.globals[part.__name__] = partial(part, words)
    environment.globals |= {"words": words, "language": language, "languages": LANGUAGES}
    return environment
