"""The GPU's use: the mean of what was answered, and NaN where nothing was."""

import math
import threading

from enpire_nodes.evolution.accounting.gpu import GpuSample, GpuSampler, query


def test_the_mean_of_the_answers():
    answers, done = iter([0.2, math.nan, 0.6]), threading.Event()

    def ask():
        value = next(answers, None)
        if value is None:
            done.set()
            return math.nan
        return value

    sampler = GpuSampler(period=0.001, ask=ask)
    sampler.start()
    assert done.wait(60.0)
    sampler.close()
    assert math.isclose(sampler.take().share, 0.4)
    assert math.isnan(sampler.take().share)


def test_json_has_no_nan():
    assert GpuSample(5.0, math.nan).data() == {'seconds': 5.0, 'share': None}


def test_without_the_program_there_is_no_figure(monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert math.isnan(query())


def test_what_the_program_says(monkeypatch, tmp_path):
    program = tmp_path / 'nvidia-smi'
    program.write_text('#!/bin/sh\necho 30\necho 50\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    assert query() == 0.4
    program.write_text('#!/bin/sh\necho broken\n')
    assert math.isnan(query())
