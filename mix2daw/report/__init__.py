"""report.html: one page of a recovery, to look at and to listen to, that needs nothing but a browser.

measure.py       what is heard: loudness, energy per band and second, the moments that are furthest off
rides.py         whether a gain over time on one strip would explain what is left
verdict.py       the outcome in words, each of them measured
material.py      all that takes time: what follows, of one result's audio, beside other work if wanted
strips.py        one pass through the console: audio, gain changes and the like of every strip
audio.py         the audio in the page, as small as it has to be
curves.py        what equalizers and dynamics do
plots.py heat.py pictures
cards.py sessions.py history.py   the sections of the page
page.py          all of it, and the template

Signals are float32 `(1 or 2, samples)`. Nothing here loads torch.
"""

from __future__ import annotations

from mix2daw.report.page import REPORT_FILE, report_html

__all__ = ["REPORT_FILE", "report_html"]
