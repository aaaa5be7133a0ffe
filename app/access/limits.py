"""How often a key may be used and an address may show a wrong one, and what the answers say of it and of the key's end.

Reading without a key is not limited here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request

from app.access.scope import Caller
from app.clock import written
from app.settings import Settings
from app.web.addresses import Networks, caller_address, subscriber
from app.web.rates import WINDOW_SECONDS, Rate, Spent, Ticks, TooManyRequests
from app.web.told import tell

EXPIRY_TOLD = timedelta(days=30)
"""How long before its end every answer to a key says when that is."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The rates of this process: `requests` of each key, `failures` to show a valid key of each address."""

    requests: Rate
    failures: Rate
    trusted_proxies: Networks


def limits_of(settings: Settings, ticks: Ticks) -> Limits:
    """The limits that `settings` set, with nothing counted yet."""
    return Limits(
        requests=Rate("key", settings.requests_per_minute, ticks=ticks),
        failures=Rate("address", settings.failed_keys_per_minute, ticks=ticks),
        trusted_proxies=settings.trusted_proxies,
    )


def count_request(request: Request, caller: Caller) -> None:
    """Count `request` among those with the key of `caller`, and say on its answer how many are left.

    Raises:
        TooManyRequests: there were too many.
    """
    limits: Limits = request.app.state.limits
    _spend(
        request,
        limits.requests,
        caller.key_id,
        f"a key may ask {limits.requests.per_minute} times at once and as many again in each minute",
    )


def count_failure(request: Request) -> None:
    """Count `request` among those of its address with a wrong key, and say on its answer how many are left.

    To be called when the key has been looked up, so that a valid one is never refused for its neighbours.

    Raises:
        TooManyRequests: there were too many.
    """
    limits: Limits = request.app.state.limits
    _spend(
        request,
        limits.failures,
        subscriber(caller_address(request.scope, limits.trusted_proxies)),
        f"of the wrong keys from one address {limits.failures.per_minute} a minute are looked at; "
        "this one is mistyped, unknown, expired or revoked, and a valid one is answered all the same",
    )


def tell_expiry(request: Request, caller: Caller, *, at: datetime) -> None:
    """Say on the answer to `request` when the key ends, if that is near `at`."""
    if caller.expires_at - at <= EXPIRY_TOLD:
        tell(request.scope, "Key-Expires", written(caller.expires_at))


def _spend(request: Request, rate: Rate, who: str, rule: str) -> None:
    spent = rate.spend(who)
    _tell_rate(request, rate, spent)
    if not spent.allowed:
        detail = f"{rule}; ask again in {spent.seconds} s"
        raise TooManyRequests(detail, headers={"Retry-After": str(spent.seconds)})


def _tell_rate(request: Request, rate: Rate, spent: Spent) -> None:
    """Say what is allowed and what is left of it, in the words of draft-ietf-httpapi-ratelimit-headers (-08 to -10).

    `t` is when one more will be left, which is what Retry-After says when none is: the draft wants the two alike.
    """
    tell(request.scope, "RateLimit-Policy", f'"{rate.name}";q={rate.per_minute};w={WINDOW_SECONDS}')
    tell(request.scope, "RateLimit", f'"{rate.name}";r={spent.remaining};t={spent.seconds}')
