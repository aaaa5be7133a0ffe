"""Which of Finnish, Swedish and English a reader gets."""

from typing import Literal, get_args

Language = Literal["fi", "sv", "en"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "fi"


def language_for(asked: str | None, *, accepted: str) -> Language:
    """The language `asked` for by name, else the best of the Accept-Language header `accepted`, else Finnish.

    What the pages do not speak is passed over, never refused.
    """
    spoken: dict[str | None, Language] = {language: language for language in LANGUAGES}
    wishes = (asked, *_by_weight(accepted))
    return next((spoken[wish] for wish in wishes if wish in spoken), DEFAULT_LANGUAGE)


def _by_weight(accepted: str) -> list[str]:
    """The primary tags of an Accept-Language header (RFC 9110, 12.5.4), most wished first, none refused."""
    wishes = [_wish(part) for part in accepted.split(",")]
    wishes.sort(key=lambda wish: -wish[0])
    return [tag for weight, tag in wishes if weight > 0]


def _wish(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, weight = parameter.strip().partition("=")
    primary = tag.strip().lower().partition("-")[0]
    if name != "q":
        return 1.0, primary
    try:
        return float(weight), primary
    except ValueError:
        return 0.0, primary
