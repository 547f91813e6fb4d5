"""A ROS 2 package suite with which a coding agent runs its own robot experiments."""

__version__ = '0.1.0'
