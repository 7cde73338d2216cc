"""A package of plugins for riskmodel: what pyproject.toml registers is all there is to it."""
