"""Where one can post to: CLDR's territories by their ISO 3166 codes, in two and three letters."""

from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global

# ISO 3166-3: states that are no more, and CLDR's names for no state at all.
_RETIRED = {
    "ANT",
    "BUR",
    "CSK",
    "DDR",
    "EU",
    "FXX",
    "NTZ",
    "QUU",
    "SCG",
    "SUN",
    "TMP",
    "YMD",
    "YUG",
    "ZAR",
    "ZZ",
    "ZZZ",
}


@cache
def known_countries() -> frozenset[str]:
    """CLDR's territories with a currency, in two and three letters: ISO 3166, and what people post to besides.

    Read when first asked for: CLDR takes 2 MiB, which a worker that meets no address can do without.
    """
    aliases = get_global("territory_aliases")
    short = {code for code in get_global("territory_currencies") if code not in aliases}
    long = {code for code, (now, *_) in aliases.items() if len(code) == 3 and code.isalpha() and now in short}
    return frozenset((short | long) - _RETIRED)


def two_letters(code: str) -> str:
    """The country of either code in two letters."""
    return code if len(code) == 2 else str(get_global("territory_aliases")[code][0])


def three_letters(code: str) -> str | None:
    """The same in three; None for a territory that ISO 3166 has no such code for."""
    return code if len(code) == 3 else _long_codes().get(code)


@cache
def _long_codes() -> dict[str, str]:
    countries = known_countries()
    aliases = get_global("territory_aliases").items()
    return {now: code for code, (now, *_) in aliases if len(code) == 3 and code in countries and now in countries}


@lru_cache(maxsize=1024)
def country_name(code: str, locale: str) -> str:
    """What the country is called in the language of the locale."""
    names = Locale.parse(locale).territories
    return str(names.get(two_letters(code), code))
