"""The document's figures are those that were measured last."""

from __future__ import annotations

from bench.figures import DOCUMENT, END, START, figures


def test_the_documents_figures_are_those_of_the_results() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").partition(START)[2].partition(END)[0]
    assert shown.strip() == figures().strip()
