"""Which organisation somebody belongs to, by the domain of the address."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LONGEST_KEY = 64


@dataclass(frozen=True, slots=True)
class Organisation:
    """A customer of ours that is several people."""

    key: str
    name: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Organisations:
    """domains: the organisation of a domain and of all below it. by_domain: any other domain is an organisation of its
    own name, but for free mail, where everybody can have an address.
    """

    domains: Mapping[str, Organisation] = field(default_factory=dict)
    by_domain: bool = False
    free_mail: frozenset[str] = frozenset()

    def of(self, email: str | None) -> Organisation | None:
        """Of an address in lower case; None where the domain says nothing."""
        if not email or not (self.domains or self.by_domain):
            return None
        for domain in _upwards(email.rpartition("@")[2]):
            if domain in self.domains:
                return self.domains[domain]
            if domain in self.free_mail:
                return None
        own = email.rpartition("@")[2]
        return Organisation(own) if self.by_domain and "." in own and len(own) <= LONGEST_KEY else None

    def named(self, key: str) -> Organisation | None:
        """One that is configured."""
        return next((each for each in self.domains.values() if each.key == key), None)


def _upwards(domain: str) -> Iterator[str]:
    """The domain and those above it, but not the last label alone."""
    while "." in domain:
        yield domain
        domain = domain.partition(".")[2]
