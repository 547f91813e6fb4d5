"""Bags of trials: written, checked after closing, and recovered after a crash. No ROS client."""
