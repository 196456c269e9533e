"""Which limits there are, and how high each is by the settings."""

from authsrv.kit.clock import Clock
from authsrv.kit.rates import OFF, read_rate
from authsrv.settings import Settings
from authsrv.web.limits import Limits
from authsrv.web.sign_in_limits import FEW, TIMES_IN_ALL


def chosen_limits(settings: Settings, clock: Clock) -> Limits:
    """The limits, none of them reached yet."""
    chosen = settings.limits
    is_off = read_rate(chosen.sign_in_per_store) is None
    rates = {
        "sign_in_per_address": chosen.sign_in_per_address,
        "sign_in_per_store": chosen.sign_in_per_store,
        "sign_in_few": OFF if is_off else FEW,
        "sign_in_in_all": _times(chosen.sign_in_per_store, TIMES_IN_ALL),
        "token_per_client": chosen.token_per_client,
        "api_per_credential": chosen.api_per_credential,
        "registration_per_address": chosen.registration_per_address,
    }
    return Limits(settings.rate_limit_url.get_secret_value(), rates, clock, workers=chosen.workers)


def _times(text: str, times: int) -> str:
    """A rate that allows so many times as much."""
    rate = read_rate(text)
    return f"{rate.amount * times}/{rate.seconds}seconds" if rate else OFF
