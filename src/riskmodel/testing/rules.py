"""What every checker raises: the rule broken, by its name, and what was seen."""

from __future__ import annotations

__all__ = ["BrokenRule", "require"]


class BrokenRule(AssertionError):
    """A plugin breaks one of the rules of its kind.

    Parameters
    ----------
    rule : str
        The rule's name, as the checker's documentation lists it.
    seen : str
        What was seen instead.

    Examples
    --------
    >>> print(BrokenRule("deterministic", "two reads of one file differ"))
    deterministic: two reads of one file differ
    """

    def __init__(self, rule: str, seen: str) -> None:
        self.rule, self.seen = rule, seen
        super().__init__(f"{rule}: {seen}")


def require(held: bool, rule: str, seen: str) -> None:
    """Raise ``BrokenRule`` unless a rule is held."""
    if not held:
        raise BrokenRule(rule, seen)
