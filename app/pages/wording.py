"""The words of the pages in one language: texts, numbers, days and names as people write them.

Texts are written in English where they stand; texts/fi and texts/sv hold their translations, a gettext file for a part.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

from app.pages.language import Language

_TEXTS = Path(__file__).parent / "texts"
_LOCALES: dict[Language, str] = {"fi": "fi_FI", "sv": "sv_FI", "en": "en_GB"}
# In Swedish as it is written in Finland, which Unicode's data would have as 2023-03-27.
_SHORT_DAYS: dict[Language, str] = {"fi": "d.M.y", "sv": "d.M.y", "en": "d MMM y"}
_LAST_LETTERS = str.maketrans("åäö", "{|}")


class Named(Protocol):
    """What has a name in Finnish and Swedish, and perhaps one in English."""

    @property
    def name_fi(self) -> str: ...

    @property
    def name_sv(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Wording:
    """How everything is said in `language`."""

    language: Language
    locale: Locale
    translations: NullTranslations

    def gettext(self, message: str, **named: Any) -> str:
        """`message` in this language, `named` put into it."""
        return self.translations.gettext(message) % named

    def ngettext(self, one: str, many: str, number: int, **named: Any) -> str:
        """The one of the two that goes with `number` in this language, which it names as %(number)s."""
        told = {"number": self.number(number), **named}
        return self.translations.ngettext(one, many, number) % told

    def number(self, value: float) -> str:
        """A number with all its decimals, thousands apart."""
        return format_decimal(Decimal(str(value)), locale=self.locale, decimal_quantization=False)

    def share(self, part: int, whole: int, *, decimals: int = 1) -> str:
        """`part` of `whole` in percent, rounded half up from the whole numbers."""
        step = Decimal(1).scaleb(-decimals - 2)
        rounded = (Decimal(part) / Decimal(whole)).quantize(step, ROUND_HALF_UP)
        sign = "%" if self.language == "en" else "\N{NO-BREAK SPACE}%"
        pattern = f"#,##0.{'0' * decimals}{sign}" if decimals else f"#,##0{sign}"
        return format_percent(rounded, format=pattern, locale=self.locale)

    def day(self, day: date) -> str:
        """A day with its month in words."""
        return format_date(day, "long", locale=self.locale)

    def short_day(self, day: date) -> str:
        """A day for a table."""
        return format_date(day, _SHORT_DAYS[self.language], locale=self.locale)

    def name(self, place: Named) -> str:
        """The name of a place or practice; in English the Finnish one if it has none."""
        return getattr(place, f"name_{self.language}", place.name_fi)

    def alphabetical(self, name: str) -> str:
        """What names are sorted by: å, ä and ö stand last, in this order."""
        return name.casefold().translate(_LAST_LETTERS)


@cache
def wording(language: Language) -> Wording:
    """How everything is said in `language`."""
    return Wording(language, Locale.parse(_LOCALES[language]), _translations(language))


def _translations(language: Language) -> NullTranslations:
    """All texts of the parts in one."""
    folder = _TEXTS / language
    if not folder.is_dir():
        return NullTranslations()
    whole = Catalog(locale=language)
    for file in sorted(folder.glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened, locale=language):
                if message.id:
                    whole.add(message.id, message.string, context=message.context)
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled)
