"""Tasks: what a station does over and over. Each has a scene, a reset, a judge and features."""
