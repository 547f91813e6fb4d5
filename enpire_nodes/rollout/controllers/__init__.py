"""What decides where the working arm goes during an attempt: plain Python, no ROS.

A controller is a class with a dataclass of ``Settings``, a ``reset(context)`` and a
``step(features) -> Action``. A lab adds its own in its own package, through the entry-point group
``enpire.controllers``; see :mod:`enpire_nodes.rollout.controllers.interface`.
"""
