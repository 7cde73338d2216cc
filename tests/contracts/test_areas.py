"""Area codes by level, and names as they appear in file names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.contracts.areas import LEVELS, is_area_code, slug

FULL_WIDTH_ZERO = "\uff10"
EXAMPLES = {
    "lsoa11": "E01022100",
    "lsoa21": "W01001234",
    "msoa21": "E02004567",
    "ward24": "E05010927",
    "lad24": "E07000078",
    "csp24": "E22000113",
    "pfa": "E23000037",
}


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "local"])
def test_a_code_belongs_to_its_own_level(level: str) -> None:
    code = EXAMPLES[level]
    own = {other for other in EXAMPLES if is_area_code(code, other)}
    assert level in own
    assert own <= ({"lsoa11", "lsoa21"} if level.startswith("lsoa") else {level})
    for broken in (
        code[:-1],
        code + "0",
        code.lower(),
        f" {code}",
        code.replace("0", FULL_WIDTH_ZERO),
        code.replace(code[0], "S", 1),
        f"{code}\n",
    ):
        assert not is_area_code(broken, level)


@given(st.text())
def test_a_slug_can_be_a_file_name_anywhere(name: str) -> None:
    made = slug(name)
    assert re.fullmatch(r"[a-z0-9]*(-[a-z0-9]+)*", made)
    assert slug(made) == made
