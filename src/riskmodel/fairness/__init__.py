"""The fairness audit: whether a forecast treats groups alike, what cannot be seen, and what reviewers decide on it."""
