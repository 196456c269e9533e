"""Money as the documents show it: `"14.0"` for programs, `$14.00` in the reader's own way of writing for people."""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency
from starlette.requests import Request

from authsrv.shop.money import from_minor
from authsrv.web.languages import accepted_languages

_DEFAULT = "en_US"
# Languages with the territory whose habits they stand for alone. A list, since each that was asked for stays in memory.
_LOCALES = {
    "ar": "ar_EG",
    "bg": "bg_BG",
    "cs": "cs_CZ",
    "da": "da_DK",
    "de": "de_DE",
    "de_at": "de_AT",
    "de_ch": "de_CH",
    "el": "el_GR",
    "en": "en_US",
    "en_au": "en_AU",
    "en_ca": "en_CA",
    "en_gb": "en_GB",
    "es": "es_ES",
    "es_mx": "es_MX",
    "et": "et_EE",
    "fi": "fi_FI",
    "fr": "fr_FR",
    "fr_ca": "fr_CA",
    "fr_ch": "fr_CH",
    "he": "he_IL",
    "hi": "hi_IN",
    "hr": "hr_HR",
    "hu": "hu_HU",
    "id": "id_ID",
    "it": "it_IT",
    "ja": "ja_JP",
    "ko": "ko_KR",
    "lt": "lt_LT",
    "lv": "lv_LV",
    "nb": "nb_NO",
    "nl": "nl_NL",
    "no": "nb_NO",
    "pl": "pl_PL",
    "pt": "pt_PT",
    "pt_br": "pt_BR",
    "ro": "ro_RO",
    "ru": "ru_RU",
    "sk": "sk_SK",
    "sl": "sl_SI",
    "sv": "sv_SE",
    "th": "th_TH",
    "tr": "tr_TR",
    "uk": "uk_UA",
    "vi": "vi_VN",
    "zh": "zh_Hans_CN",
    "zh_tw": "zh_Hant_TW",
}


def locale_of(request: Request) -> str:
    """The locale that `?locale=` names, else the first of Accept-Language that is known (RFC 9110, 12.5.4)."""
    wishes = [request.query_params.get("locale", ""), *accepted_languages(request)]
    for wish in wishes:
        tag = wish.strip().lower().replace("-", "_")
        if (known := _LOCALES.get(tag) or _LOCALES.get(tag.partition("_")[0])) is not None:
            return known
    return _DEFAULT


@lru_cache(maxsize=8192)
def plain(minor: int, currency: str) -> str:
    """The amount as a decimal with at least one digit behind the point, and no zeros more."""
    amount = from_minor(minor, currency).normalize()
    return f"{amount:f}" if amount != amount.to_integral_value() else f"{amount.quantize(Decimal(1)):f}.0"


@lru_cache(maxsize=8192)
def shown(minor: int, currency: str, locale: str) -> str:
    """The amount as people of the locale write it."""
    return format_currency(from_minor(minor, currency), currency, locale=locale)
