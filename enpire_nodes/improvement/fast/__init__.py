"""The parts that make a small actor and its critics learn fast on a CPU. No ROS, torch alone."""

from enpire_nodes.improvement.fast.compiled import Compiled, translated
from enpire_nodes.improvement.fast.ensemble import EnsembleMLP
from enpire_nodes.improvement.fast.optimizer import AdamW, follow

__all__ = ['AdamW', 'Compiled', 'EnsembleMLP', 'follow', 'translated']
