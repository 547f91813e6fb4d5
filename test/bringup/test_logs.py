"""Log files are followed line by line."""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.bringup.logs import LogFollower, parse_line

RCL = '[WARN] [1795346454.738753781] [station_1.driver]: the left arm is held'


def test_lines_of_rcl_are_taken_apart() -> None:
    line = parse_line('driver+safety_gate', RCL)
    assert (line.node, line.level, line.text) == ('driver', 'WARN', 'the left arm is held')
    assert line.stamp == 1795346454.738753781
    assert str(line).endswith('driver            WARN  the left arm is held')


def test_other_output_keeps_the_name_of_its_process() -> None:
    line = parse_line('driver', 'Traceback (most recent call last):')
    assert (line.node, line.level, line.text) == (
        'driver', '', 'Traceback (most recent call last):'
    )  # fmt: skip


def test_only_what_is_added_is_read_and_only_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / 'driver.log'
    path.write_text('of yesterday\n')
    follower = LogFollower({'driver': path})
    assert follower.poll() == []
    with path.open('a') as log:
        log.write('one\ntw')
        log.flush()
        assert [line.text for line in follower.poll()] == ['one']
        log.write('o\n')
        log.flush()
        assert [line.text for line in follower.poll()] == ['two']


def test_a_file_may_come_later_and_may_be_emptied(tmp_path: Path) -> None:
    path = tmp_path / 'driver.log'
    follower = LogFollower({'driver': path})
    assert follower.poll() == []
    path.write_text('first line\n')
    assert [line.text for line in follower.poll()] == ['first line']
    path.write_text('new\n')
    assert [line.text for line in follower.poll()] == ['new']
