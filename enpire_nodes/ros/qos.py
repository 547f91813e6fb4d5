"""One table of QoS profiles, so that publishers and subscriptions cannot disagree."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(depth: int, *, latched: bool = False, reliable: bool = True) -> QoSProfile:
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
    )


#: Deep enough that a recorder which stalls for half a second loses nothing.
#: Joint states, poses, wrenches and gripper states.
ARM_STATE = _profile(50)
#: Pictures and camera parameters.
IMAGES = _profile(10)
#: Targets, from commanders to the gate and from the gate to the driver.
COMMANDS = _profile(50)
#: Who may command.
LEASE = _profile(10)
#: Signs of life; never held back until one that was lost comes again, which may take 3 s.
HEARTBEATS = _profile(20, reliable=False)
#: The latest state of something; a late subscriber sees it too.
LATCHED = _profile(1, latched=True)
#: Things that happened, one message each.
EVENTS = _profile(100)
