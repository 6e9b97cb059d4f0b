"""Which broker comes from where: the one list of providers, and how to get a broker from it.

A new provider is one new module with a factory (keyword settings -> Broker) and one line here. The
module is imported only when it is asked for. It must never know what a provider needs or does.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from pytest_mqchaos.brokers.base import Broker
from pytest_mqchaos.errors import MissingExtra, unknown

_PROVIDERS: dict[tuple[str, str], str] = {
    ("kafka", "embedded"): "pytest_mqchaos.brokers.embedded:EmbeddedKafka",
    ("kafka", "process"): "pytest_mqchaos.brokers.kafka_process:KafkaProcess",
}


def register(protocol: str, kind: str, factory: str) -> None:
    """Add a provider: `factory` is "package.module:callable", called with keyword settings."""
    _PROVIDERS[protocol, kind] = factory


def kinds(protocol: str) -> tuple[str, ...]:
    """The kinds of broker that this protocol has providers for."""
    return tuple(kind for name, kind in _PROVIDERS if name == protocol)


def provide(protocol: str, kind: str, **settings: object) -> Broker:
    """Make a broker, not started yet. UsageError with the nearest names if there is no such."""
    return factory(protocol, kind)(**settings)


def factory(protocol: str, kind: str) -> Callable[..., Broker]:
    """What makes such a broker: its class says what can be done to it. Errors as `provide`."""
    if not kinds(protocol):
        raise unknown("protocol", protocol, {name for name, _ in _PROVIDERS})
    if (protocol, kind) not in _PROVIDERS:
        raise unknown(f"{protocol} broker kind", kind, kinds(protocol))
    module, _, name = _PROVIDERS[protocol, kind].partition(":")
    return cast(Callable[..., Broker], getattr(import_module(module), name))


def lacking(protocol: str, kind: str) -> str | None:
    """What this machine lacks for that kind of broker, as a sentence that says what to install, or
    None. For the reason of a skip; cheap (starts nothing but perhaps `java -version`)."""
    if (protocol, kind) not in _PROVIDERS:
        raise unknown(f"{protocol} broker kind", kind, kinds(protocol))
    module, _, _ = _PROVIDERS[protocol, kind].partition(":")
    try:
        return cast("str | None", import_module(module).lacking())
    except MissingExtra as error:
        return str(error)
