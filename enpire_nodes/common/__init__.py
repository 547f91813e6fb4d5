"""Plain building blocks that every other package may import: no ROS, no task, no simulator."""
