"""The policy's own process, without ROS and without the network, and how it is spoken to."""
