"""Recorded trials as datasets of the LeRobot format, version 3.0, and back.

The format is that of https://huggingface.co/docs/lerobot/lerobot-dataset-v3. The package
``lerobot`` is not needed for it: ``make test-lerobot`` holds the two against each other.
"""
