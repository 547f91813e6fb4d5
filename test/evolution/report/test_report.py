"""The report: all in one page, and every figure from the records."""

from __future__ import annotations

from html.parser import HTMLParser
import json
import re

import pytest
from research_run import ResearchRun

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.report.figures import figures
from enpire_nodes.evolution.report.report import write_report
from enpire_nodes.evolution.tree.build import hub_ideas, tree_of
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.statistics import lower_bound


class Page(HTMLParser):
    """Collects what a page loads, and its elements that are left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ('src', 'href', 'xlink:href', 'action', 'data') and value[:1] != '#':
                self.loads.append(value)
        if tag not in ('meta', 'br', 'link', 'img', 'path', 'use', 'rect'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in ('path', 'use', 'rect'):
            self.wrong.append(tag)


@pytest.fixture(scope='module')
def text(finished):
    return (finished[0] / 'report.html').read_text()


def test_the_page_needs_nothing_else(text):
    page = Page(text)
    assert page.loads == []
    assert 'url(http' not in text
    assert '<script' not in text
    assert '@import' not in text


def test_the_page_is_well_formed(text):
    page = Page(text)
    assert (page.open, page.wrong) == ([], [])
    identifiers = re.findall(r'\sid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))
    for name in re.findall(r'(?:url\(#|href="#)([^")]+)', text):
        assert name in identifiers


def test_every_colour_has_a_name_and_a_dark_one(text):
    used = set(re.findall(r'var\(--([a-z]+)\)', text))
    light, dark = re.findall(r':root \{(.*?)\}', text, re.DOTALL)[:2]
    for name in used:
        assert f'--{name}:' in light
        assert f'--{name}:' in dark


def test_the_headline_is_that_of_the_block(finished, text):
    run, _ = finished
    report = json.loads((run / 'report.json').read_text())
    headline = report['figures']['headline']
    assert headline['certified'] is True
    assert headline['to']['lower'] == lower_bound(headline['to']['successes'], 50)
    assert headline['to']['corrected']['held_out']['lower'] < headline['to']['lower']
    assert 'certified' in text


def test_figures_are_json_and_repeatable(finished):
    run, _ = finished
    log = RunLog.read(run)
    one = figures(log, tree_of(log, hub_ideas(log)))
    assert json.loads(json.dumps(one, allow_nan=False)) == one
    again = RunLog.read(run)
    assert figures(again, tree_of(again, hub_ideas(again))) == one


def test_shares_of_time_add_up(finished):
    report = json.loads((finished[0] / 'report.json').read_text())
    used = report['figures']['utilization']
    assert sum(used['seconds'].values()) == pytest.approx(used['wall_seconds'])
    assert sum(used['requested'].values()) == pytest.approx(used['robot'])
    assert used['robot'] > used['executing']


def test_how_to_run_it_again_names_commit_and_weights(finished):
    report = json.loads((finished[0] / 'report.json').read_text())['figures']
    lines = report['reproduce']
    assert lines[0] == 'enpire verify-run .'
    assert report['headline']['commit'] in lines[-1]
    (place,) = re.findall(r'learned.checkpoint=(\S+)', lines[-1])
    assert (finished[0] / place).is_file()


def test_a_campaign_that_only_began_has_a_report_too(tmp_path):
    run = ResearchRun(tmp_path / 'run', tmp_path / 'keys', ideas=1, trials=3, bags=0)
    run.confirm = lambda commit: None
    run.grade = lambda commit, trials: None
    text = write_report(run.write(), keys=tmp_path / 'keys').read_text()
    assert 'not certified' in text
    assert 'No recipe has been graded yet' in text


def test_what_no_idea_has_beaten_is_no_progress(tmp_path):
    run = ResearchRun(tmp_path / 'run', tmp_path / 'keys', ideas=1, trials=6, bags=0)
    whole = run.grade
    run.confirm = lambda commit: None
    run.grade = lambda commit, trials: whole(commit, trials) if commit == run.base else None
    text = write_report(run.write(), keys=tmp_path / 'keys').read_text()
    headline = json.loads((tmp_path / 'run' / 'report.json').read_text())['figures']['headline']
    assert 'No idea has been shown to be better than the start' in text
    assert headline['to']['rate'] > headline['to']['lower'] > 0.0
    assert re.search(rf'At least {headline["to"]["lower"] * 100:.1f}\s% success so far', text)


def test_an_agents_words_are_words(tmp_path, monkeypatch):
    monkeypatch.setattr('research_run.SUBJECTS', ('<img src=x onerror=alert(1)> $x_{1$',))
    run = ResearchRun(tmp_path / 'run', tmp_path / 'keys', ideas=2, trials=3, bags=0).write()
    text = write_report(run, keys=tmp_path / 'keys').read_text()
    assert '<img' not in text
    assert '&lt;img' in text


def test_a_run_without_a_campaign_is_refused(tmp_path):
    Ledger(tmp_path, station='s', owner='test').close()
    with pytest.raises(StationError) as refused:
        write_report(tmp_path, keys=tmp_path / 'keys')
    assert refused.value.code is ErrorCode.SUPERVISOR_STATE_UNREADABLE


def test_a_campaign_that_ended_at_once_has_a_report_too(finished, monkeypatch):
    from enpire_nodes.evolution.report.charts import tokens_figure

    log = RunLog.read(finished[0])
    monkeypatch.setitem(log.__dict__, 'end_ns', log.start_ns + 1000)
    assert tokens_figure(log).axes
