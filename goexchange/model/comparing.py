"""How a fact is compared with what a plan saw of it, and how much it counts."""

from __future__ import annotations

from enum import Enum


class Operator(Enum):
    """Comparison of a premise, condition or guard."""

    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    ONE_OF = "one-of"


class FactClass(Enum):
    """How a fact counts: who it is about, whether it is well, or only worth showing."""

    IDENTITY = "identity"
    HEALTH = "health"
    INFORMATIONAL = "informational"
