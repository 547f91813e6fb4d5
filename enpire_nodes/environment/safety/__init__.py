"""The plain part of the safety gate: limits, filter, lease, latch and state machine. No ROS."""
