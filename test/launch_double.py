"""A stand-in for ``launch`` and ``launch_ros`` that only records what a launch file builds.

For machines without them; where they are installed the tests use the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import importlib.util
from pathlib import Path
import sys
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

_NAMES = {
    'launch': ('LaunchContext', 'LaunchDescription', 'LaunchDescriptionEntity'),
    'launch.actions': (
        'DeclareLaunchArgument', 'GroupAction', 'IncludeLaunchDescription', 'OpaqueFunction',
        'RegisterEventHandler',
    ),
    'launch.event_handlers': ('OnProcessExit',),
    'launch.events.process': ('ProcessExited',),
    'launch.launch_description_sources': ('PythonLaunchDescriptionSource',),
    'launch_ros': (),
    'launch_ros.actions': ('Node',),
    'launch_ros.ros_adapters': (),
}  # fmt: skip


class Recorded:
    """Anything that a launch file makes: remembers its arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    @property
    def kind(self) -> str:
        """Name of the class that the launch file used."""
        return type(self).__name__


class Publisher:
    """Remembers what is published."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.messages: list[Any] = []

    def publish(self, message: Any) -> None:
        """Remember ``message``."""
        self.messages.append(message)


def has_launch() -> bool:
    """Whether the real ``launch`` and ``launch_ros`` are installed."""
    try:
        from launch import LaunchDescription  # noqa: F401
        import launch_ros.actions  # noqa: F401
    except ImportError:
        return False
    return True


@contextlib.contextmanager
def double() -> Iterator[list[Publisher]]:
    """Put the stand-in where the real packages would be imported from."""
    publishers: list[Publisher] = []
    modules = {}
    for name, classes in _NAMES.items():
        modules[name] = ModuleType(name)
        modules[name].__path__ = []
        for entry in classes:
            setattr(modules[name], entry, type(entry, (Recorded,), {}))

    def create_publisher(kind: type, topic: str, profile: object) -> Publisher:
        publishers.append(Publisher(topic))
        return publishers[-1]

    node = SimpleNamespace(create_publisher=create_publisher)
    modules['launch_ros.ros_adapters'].get_ros_node = lambda context: node
    modules['launch.events'] = ModuleType('launch.events')
    with mock.patch.dict(sys.modules, modules):
        yield publishers


def load(path: Path) -> ModuleType:
    """Import a launch file."""
    spec = importlib.util.spec_from_file_location(path.name.replace('.', '_'), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
