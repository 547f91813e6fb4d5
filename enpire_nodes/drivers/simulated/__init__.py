"""The simulated station: a bench, a task's scene, and a driver that looks like a real robot's."""
