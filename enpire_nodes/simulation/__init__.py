"""The bench in MuJoCo: arms, table, cameras, force and noise. No ROS here, and no task."""
