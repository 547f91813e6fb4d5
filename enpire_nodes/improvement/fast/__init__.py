"""The parts that make a small actor and its critics learn fast on a CPU. No ROS, torch alone."""
