"""The learned part of the judge: one small network a camera, its thresholds, and its fit."""
