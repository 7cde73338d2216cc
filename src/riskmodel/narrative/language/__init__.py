"""The language room: what may be said, a linter that holds every text to it, and how hard a text is to read.

In: plain text, Markdown, pages, and hand-written texts whose head declares their numbers. Out: findings, each
with the rule it breaks, why, and what to say instead.
"""

from riskmodel.narrative.language.lint import Finding, lint_html, lint_markdown, lint_passages, lint_text
from riskmodel.narrative.language.passages import Passage, html_passages, markdown_passages
from riskmodel.narrative.language.reading_age import ReadingAge, reading_age, reading_ages, whole_reading_age
from riskmodel.narrative.language.rules import Context, classes
from riskmodel.narrative.language.written import WrittenText, lint_written, make_text, read_text

__all__ = [
    "Context",
    "Finding",
    "Passage",
    "ReadingAge",
    "WrittenText",
    "classes",
    "html_passages",
    "lint_html",
    "lint_markdown",
    "lint_passages",
    "lint_text",
    "lint_written",
    "make_text",
    "markdown_passages",
    "read_text",
    "reading_age",
    "reading_ages",
    "whole_reading_age",
]
