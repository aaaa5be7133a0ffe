"""The front page in Finnish, Swedish and English, and which of them a reader gets."""

from functools import cache
from string import Template
from typing import Literal

from app.pages.files import template

Language = Literal["fi", "sv", "en"]

DEFAULT_LANGUAGE: Language = "fi"

# In HTML: a Finnish hyphen that begins a word part is &#8209;, at which no line breaks.
_TEXTS: dict[Language, dict[str, str]] = {
    "fi": {
        "title": "Yhdessä aika: käytön seuranta",
        "what": "Kunnat ja hyvinvointialueet ilmoittavat tähän palveluun, missä Yhdessä aika "
        "&#8209;toimintamalli on kokeilussa tai käytössä ja montako Yhdessä aika &#8209;tapaamista on "
        "pidetty. Vuosittaisen kehityksen saa lukea kuka tahansa sellaisena kuin se on julkistettu.",
        "trend": "Pohjois-Savon vuosittainen kehitys (JSON)",
        "docs": "Rajapinnan kuvaus ja kokeilu (Swagger UI, englanniksi)",
        "contract": "Rajapinnan määrittely (OpenAPI)",
    },
    "sv": {
        "title": "Yhdessä aika: uppföljning av användningen",
        "what": "Kommuner och välfärdsområden rapporterar hit var verksamhetsmodellen Yhdessä aika prövas "
        "eller används och hur många Yhdessä aika-möten som har hållits. Vem som helst kan läsa utvecklingen "
        "år för år så som den har offentliggjorts.",
        "trend": "Utvecklingen i Norra Savolax år för år (JSON)",
        "docs": "Gränssnittet: beskrivning och test (Swagger UI, på engelska)",
        "contract": "Gränssnittets specifikation (OpenAPI)",
    },
    "en": {
        "title": "Yhdessä aika adoption tracking",
        "what": "Municipalities and wellbeing services counties report here where the Yhdessä aika practice "
        "is on trial or in use and how many sessions were held. Anyone can read the yearly trend as it was "
        "made public.",
        "trend": "The yearly trend of North Savo (JSON)",
        "docs": "The API, described and ready to try (Swagger UI)",
        "contract": "The API's contract (OpenAPI)",
    },
}


@cache
def home_page(language: Language) -> str:
    """The front page in `language`, as HTML."""
    return Template(template("home.html")).substitute(_TEXTS[language], language=language)


def language_for(asked: str | None, *, accepted: str) -> Language:
    """The language `asked` for by name, else the best of the Accept-Language header `accepted`, else Finnish.

    What the pages do not speak is passed over, never refused.
    """
    spoken: dict[str | None, Language] = {language: language for language in _TEXTS}
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
