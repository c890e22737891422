"""Where the log of events is: what SUZANI_BUS says, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from suzani.kernel import InvalidInput

_PARTITIONS: Final = 8
_KEEP_HOURS: Final = 24
_PREFIX: Final = "suzani."
_MOST_PARTITIONS: Final = 1_000
_MOST_HOURS: Final = 24 * 365
_MOST_REPLICAS: Final = 9
_MECHANISMS: Final = {"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512"}
_WORDS: Final = {"yes": "yes", "true": "yes", "1": "yes", "no": "", "false": "", "0": "", "": ""}


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """A Kafka cluster. `prefix` stands before the names of the platform's topics; `replicas` None leaves
    their number to the cluster; `security` is what clients are told of TLS and login, in librdkafka's words.
    """

    hosts: str
    prefix: str = _PREFIX
    replicas: int | None = None
    security: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class BusAddress:
    """Which log is used: Kafka, or PostgreSQL without it; new topics get `partitions`.

    `keep_hours`: how long at least messages stay that every consumer has read; unread ones always stay.
    `text` is what it was read from, passwords included.
    """

    text: str = field(default="postgres", repr=False)
    partitions: int = _PARTITIONS
    keep_hours: int = _KEEP_HOURS
    kafka: KafkaAddress | None = None

    @classmethod
    def parse(cls, text: str) -> BusAddress:
        """The log that `postgres?…` or `kafka://…` names. Raises InvalidInput where it cannot be used."""
        scheme, _, rest = text.partition("://") if "://" in text else (text.partition("?")[0], "", "")
        if scheme not in ("postgres", "kafka") or (scheme == "postgres") == bool(rest):
            raise _wrong("names no log that is known")
        try:
            options = _Options(dict(parse_qsl(urlsplit(text).query, keep_blank_values=True)))
        except ValueError as error:
            raise _wrong(f"cannot be read: {error}") from error
        address = cls(
            text,
            partitions=options.number("partitions", _MOST_PARTITIONS) or _PARTITIONS,
            keep_hours=options.number("hours", _MOST_HOURS) or _KEEP_HOURS,
            kafka=_kafka(text, options) if scheme == "kafka" else None,
        )
        options.refuse_others()
        return address


class _Options:
    """The options of an address: taken by name; those that nobody took are unknown."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self._taken: list[str] = []

    def text(self, name: str) -> str:
        self._taken.append(name)
        return self._given.get(name, "").strip()

    def number(self, name: str, most: int) -> int | None:
        value = self.text(name)
        if value and not (value.isascii() and value.isdecimal() and 1 <= int(value) <= most):
            raise _wrong(f"has {name}={value}, which is not a number from 1 to {most:,}")
        return int(value) if value else None

    def one_of(self, name: str, words: dict[str, str]) -> str:
        value = self.text(name).lower()
        if value and value not in words:
            raise _wrong(f"has {name}={value}; it can be {', '.join(filter(None, words))}")
        return words.get(value, "")

    def refuse_others(self) -> None:
        unknown = [name for name in self._given if name not in self._taken]
        if unknown:
            raise _wrong(f"has no option {', '.join(unknown)}; there are {', '.join(self._taken)}")


def _kafka(text: str, options: _Options) -> KafkaAddress:
    parts = urlsplit(text)
    login, _, hosts = parts.netloc.rpartition("@")
    if not hosts or not all(map(_is_host, hosts.split(","))):
        raise _wrong(f"needs hosts with their ports, not {hosts!r}")
    if parts.path.strip("/"):
        raise _wrong("has a path; topics are told apart by the option prefix")
    return KafkaAddress(
        hosts,
        prefix=options.text("prefix") or _PREFIX,
        replicas=options.number("replicas", _MOST_REPLICAS),
        security=_security(options, login),
    )


def _is_host(host: str) -> bool:
    name, _, port = host.rpartition(":")
    return bool(name) and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536


def _security(options: _Options, login: str) -> dict[str, str]:
    user, _, password = map(unquote, login.partition(":"))
    tls = options.one_of("tls", _WORDS)
    mechanism = options.one_of("sasl", _MECHANISMS)
    files = {
        "ssl.ca.location": options.text("ca"),
        "ssl.certificate.location": options.text("certificate"),
        "ssl.key.location": options.text("key"),
    }
    if any(files.values()) and not tls:
        raise _wrong("has certificates without tls=yes")
    if bool(mechanism) != bool(user):
        raise _wrong("needs both a user (kafka://user:password@host:9092) and sasl=, or neither")
    protocol = ("SASL_" if user else "") + ("SSL" if tls else "PLAINTEXT")
    logging_in = {"sasl.mechanism": mechanism, "sasl.username": user, "sasl.password": password}
    settings = {"security.protocol": protocol, **files, **(logging_in if user else {})}
    return {name: value for name, value in settings.items() if value}


def _wrong(what: str) -> InvalidInput:
    return InvalidInput(
        f"SUZANI_BUS {what}",
        hint="It is postgres, or looks like kafka://host:9092,host2:9092?partitions=8&tls=yes.",
    )
