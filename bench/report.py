"""The lines of the report: what was measured, beside what it is compared with, and the target where there is one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a ratio or a time; `most` False means that at least the bound is asked for."""

    bound: float
    most: bool = True
    unit: str = ""

    def is_reached(self, value: float) -> bool:
        return value <= self.bound if self.most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.most else '≥'} {self.bound:g}{self.unit}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a quantity as text, and the number that the target is about."""

    what: str
    quantity: str
    ratio: str = ""
    target: Target | None = None
    value: float | None = None

    @property
    def mark(self) -> str:
        """Whether the target is reached; empty where there is none."""
        if self.target is None or self.value is None:
            return ""
        return f"{self.target}  {'reached' if self.target.is_reached(self.value) else 'NOT REACHED'}"


def time_line(what: str, microseconds: float) -> Line:
    return Line(what, f"{microseconds:.1f}")


def ratio_line(what: str, microseconds: float, beside: float, target: Target | None = None) -> Line:
    """A time and its ratio to another time of the same rounds."""
    ratio = microseconds / beside
    return Line(what, f"{microseconds:.1f}", f"{ratio:.3f}", target, ratio)


def text(title: str, lines: tuple[Line, ...]) -> str:
    """A section of the report; the columns are the same in every section."""
    rows = [f"{line.what:<62}{line.quantity:>14}{line.ratio:>9}   {line.mark}".rstrip() for line in lines]
    return "\n".join((title, *(f"  {row}" for row in rows)))


HEADING = f"  {'what':<62}{'µs':>14}{'ratio':>9}   target"
