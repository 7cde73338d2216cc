"""The true process: what goes into the expected number of violent events of each area and month.

In: the written census and deprivation numbers. Out: `TrueProcess`, a closed form for the expected events and for the
expected records of every area in any month. Every parameter is kept, so that an estimate can be held against it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .census import CensusTables, share_of
from .conditions import Conditions, smooth_field, standardised
from .deprivation import Scores
from .people import Groups
from .places import Places

__all__ = ["EFFECTS", "SEASON", "Effect", "TrueProcess", "make_process"]

Floats = npt.NDArray[np.float64]

# Log multipliers by month of year; they add to nought.
SEASON = (-0.06, -0.11, -0.02, 0.0, 0.06, 0.07, 0.10, 0.05, -0.01, 0.01, -0.04, -0.05)
DISPERSION = 8.0
RECORDS_PER_AREA_MONTH = 4.5
RECORDED_SHARE = 0.6
SPATIAL_SD, OWN_SD, DRIFT_SD, TREND_SD = 0.18, 0.18, 0.02, 0.025
TOWN_CENTRE = 1.1
LANGUAGE_GAP = 0.06
# Trends are measured in years from this month, so that a longer series has the same later months.
ORIGIN = 2023 * 12


@dataclass(frozen=True)
class Effect:
    """A condition a reader can see in one file, and what one standard deviation of it does to the log rate."""

    factor: str
    role: str
    domain: str
    coefficient: float
    file: str
    columns: tuple[int, ...] = ()
    score: str = ""


EFFECTS = (
    Effect("income_deprivation", "risk", "community", 0.20, "imd2025_england_lsoa21", score="Income_score"),
    Effect("private_renting", "risk", "community", 0.10, "ts054", (9,)),
    Effect("living_alone_under_66", "risk", "community", 0.14, "ts003", (3,)),
    Effect("overcrowding", "risk", "family", 0.10, "ts052", (4, 5)),
    Effect("lone_parent_families", "risk", "family", 0.08, "ts003", (15,)),
    Effect("young_adults_20_24", "risk", "peers", 0.10, "ts007a", (5,)),
    Effect("same_address_a_year_ago", "protective", "community", -0.10, "ts019", (1,)),
    Effect("owned_outright", "protective", "community", -0.06, "ts054", (2,)),
    Effect(
        "fewer_civic_assets", "risk", "community", 0.10, "cni2023_england_lsoa21", score="Civic Assets Domain Score"
    ),
    Effect("degree_level_qualifications", "protective", "school", -0.10, "ts067", (6,)),
    Effect("very_good_health", "protective", "individual", -0.10, "ts037", (1,)),
    Effect("provides_unpaid_care", "context", "family", 0.0, "ts039", (2, 5, 8)),
    Effect("one_bedroom_homes", "context", "community", 0.0, "ts050", (1,)),
)


@dataclass(frozen=True)
class TrueProcess:
    """Log rates by 2021 area (the neighbouring force's included) and how they move with time."""

    values: Floats
    log_level: Floats
    parts: dict[str, Floats]
    slope: Floats
    district_trend: Floats
    recorded_by_area: Floats
    recorded: Floats
    scale: float

    @property
    def log_rate(self) -> Floats:
        """Log rate per resident, before season, trend and scale."""
        return sum(self.parts.values(), start=np.zeros(len(self.log_level)))

    def domains(self) -> dict[str, Floats]:
        """Return the log rate that the conditions of each domain add; the domains sum to ``parts["conditions"]``."""
        found: dict[str, Floats] = {}
        for number, effect in enumerate(EFFECTS):
            before = found.get(effect.domain, np.zeros(len(self.values)))
            found[effect.domain] = before + effect.coefficient * self.values[:, number]
        return found

    def events(self, month: int) -> Floats:
        """Return expected violent events of each area, recorded or not."""
        years = (month - ORIGIN) / 12
        result: Floats = self.scale * np.exp(self.log_level + self.slope * years + SEASON[month % 12])
        return result

    def records(self, month: int) -> Floats:
        """Return expected police records of each area, located or not."""
        result: Floats = self.events(month) * self.recorded
        return result

    def parameters(self) -> dict[str, Any]:
        """Return everything but the per-area numbers, for the truth file."""
        return {
            "effects": [asdict(effect) for effect in EFFECTS],
            "effect_unit": "log rate per standard deviation over the areas of the force, of the share or score written",
            "proxy_pair": {"acts": "living_alone_under_66", "only_correlated": "one_bedroom_homes"},
            "null_factors": [effect.factor for effect in EFFECTS if effect.coefficient == 0],
            "season_log": list(SEASON),
            "dispersion": {"size": DISPERSION, "law": "variance = mean + mean^2 / size, per area and month"},
            "spatial_sd": SPATIAL_SD,
            "own_sd": OWN_SD,
            "area_drift_sd_per_year": DRIFT_SD,
            "district_trend_per_year": [round(float(value), 6) for value in self.district_trend],
            "town_centre_log": TOWN_CENTRE,
            "recorded_share": RECORDED_SHARE,
            "language_gap_per_sd": LANGUAGE_GAP,
            "events_per_resident_month_at_average_conditions": float(f"{self.scale:.9g}"),
        }


def _values(tables: CensusTables, scores: Scores, inside: npt.NDArray[np.bool_]) -> Floats:
    """Return the standardised value of each effect's condition, read as a user of the files would."""
    read = [
        scores[each.file][each.score] if each.score else share_of(tables, each.file, each.columns) for each in EFFECTS
    ]
    return np.column_stack([standardised(np.asarray(column, dtype=np.float64), where=inside) for column in read])


def make_process(
    rng: np.random.Generator,
    places: Places,
    conditions: Conditions,
    tables: CensusTables,
    scores: Scores,
    groups: Groups,
) -> TrueProcess:
    """Return the true process, scaled to about 4.5 expected records per area of the force and month."""
    count, inside = len(places.new), places.in_force
    values = _values(tables, scores, inside)
    parts = {
        "conditions": values @ np.array([each.coefficient for each in EFFECTS]),
        "spatial": SPATIAL_SD * smooth_field(rng, conditions.points, 0.15 * places.island.radius),
        "own": OWN_SD * rng.normal(size=count),
        "town_centre": TOWN_CENTRE * conditions.town_centre,
    }
    level = np.log(conditions.residents) + sum(parts.values(), start=np.zeros(count))
    trend = TREND_SD * rng.normal(size=len(places.district_names))
    trend -= trend[:-1].mean()
    slope = trend[places.district[places.new.family]] + DRIFT_SD * rng.normal(size=count)
    language = standardised(share_of(tables, "ts029", [2]), where=inside)
    by_area = RECORDED_SHARE * np.exp(-LANGUAGE_GAP * language)
    recorded = by_area * groups.mean_recording()
    fair = by_area * groups.mean_recording(fair=True)
    # The level is set before any over-recording, so that injected unfairness adds records as it would in life.
    scale = RECORDS_PER_AREA_MONTH / float((np.exp(level) * fair)[inside].mean())
    return TrueProcess(values, level, parts, slope, trend, by_area, recorded, scale)
