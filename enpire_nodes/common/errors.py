"""Errors that travel: every one has the code that the interfaces of ``enpire_msgs`` publish.

The hundreds name the node (gate 100, reset 200, policy 300, reward 400, recorder 500, runner 600,
supervisor 700, hub 800, environment contract 900, policy improvement 1000). The numbers here and
the constants in ``enpire_msgs/msg/ErrorCode.msg`` are the same list; a test compares them.
"""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """Why something did not go as asked. ``UNSET`` is never a success; ``NONE`` means no error."""

    UNSET = 0
    NONE = 1

    GATE_LIMITS_INVALID = 100
    GATE_ESTOPPED = 101
    GATE_COMMAND_STALE = 102
    GATE_COMMAND_NOT_FINITE = 103
    GATE_COMMAND_WRONG_FRAME = 104
    GATE_OUTSIDE_WORKSPACE = 105
    GATE_STEP_TOO_LARGE = 106
    GATE_FORCE_EXCEEDED = 107
    GATE_DRIVER_STALE = 108
    GATE_NO_LEASE = 109
    GATE_LEASE_CONFLICT = 110
    GATE_SPEED_TOO_HIGH = 111

    RESET_PIN_NOT_FOUND = 200
    RESET_PIN_OUT_OF_REACH = 201
    RESET_GRASP_FAILED = 202
    RESET_PIN_DROPPED = 203
    RESET_LYING_NOT_RECOVERED = 204
    RESET_RESEAT_FAILED = 205
    RESET_HOVER_NOT_VERIFIED = 206
    RESET_FIXTURE_NOT_FOUND = 207
    RESET_CAMERA_STALE = 208
    RESET_CAMERA_MISSING = 209
    RESET_TIMEOUT = 210
    RESET_CANCELED = 211
    RESET_INTERNAL = 212
    RESET_NOT_READY = 213

    POLICY_UNKNOWN_CONTROLLER = 300
    POLICY_BAD_PARAMETER = 301
    POLICY_DEADLINE_MISSED = 302
    POLICY_NOT_FINITE = 303
    POLICY_WRONG_SHAPE = 304
    POLICY_CRASHED = 305
    POLICY_WORKER_FAILED = 306
    POLICY_OBSERVATION_STALE = 307
    POLICY_CANCELED = 308
    POLICY_GATE_REFUSED = 309
    POLICY_SETTLE_FAILED = 310
    POLICY_INTERNAL = 311
    POLICY_BUSY = 312

    REWARD_CAMERA_MISSING = 400
    REWARD_CAMERA_STALE = 401
    REWARD_CAMERA_FROZEN = 402
    REWARD_FORCE_MISSING = 403
    REWARD_DISAGREEMENT = 404
    REWARD_TIMEOUT = 405
    REWARD_INTERNAL = 406

    RECORDER_BUSY = 500
    RECORDER_NOT_RECORDING = 501
    RECORDER_TOPIC_MISSING = 502
    RECORDER_DISK_FULL = 503
    RECORDER_WRITE_FAILED = 504
    RECORDER_BAG_UNREADABLE = 505
    RECORDER_INTERNAL = 506

    RUNNER_BUSY = 600
    RUNNER_BAD_REQUEST = 601
    RUNNER_STATION_LOCKED = 602
    RUNNER_NODE_LOST = 603
    RUNNER_STAGE_TIMEOUT = 604
    RUNNER_LEDGER_FAILED = 605
    RUNNER_INTERRUPTED = 606
    RUNNER_ESTOPPED = 607
    RUNNER_CANCELED = 608
    RUNNER_STATION_NOT_READY = 609
    RUNNER_OPERATOR_NEEDED = 610
    RUNNER_JUDGE_DOUBTED = 611
    RUNNER_INTERNAL = 612

    ENVIRONMENT_MANIFEST_INVALID = 900
    ENVIRONMENT_SIGNATURE_BAD = 901
    ENVIRONMENT_CHANGED = 902
    ENVIRONMENT_NOT_ACCEPTED = 903
    ENVIRONMENT_TOO_FEW_EPISODES = 904
    ENVIRONMENT_UNLABELLED = 905
    ENVIRONMENT_ONE_CLASS = 906
    ENVIRONMENT_EVIDENCE_UNREADABLE = 907
    ENVIRONMENT_KEY_UNUSABLE = 908
    ENVIRONMENT_WEIGHTS_UNUSABLE = 909

    IMPROVEMENT_RECIPE_INVALID = 1000
    IMPROVEMENT_DATA_MISSING = 1001
    IMPROVEMENT_REPLAY_UNREADABLE = 1002
    IMPROVEMENT_CHECKPOINT_UNUSABLE = 1003
    IMPROVEMENT_POLICY_REFUSED = 1004
    IMPROVEMENT_WORKSPACE_UNUSABLE = 1005
    IMPROVEMENT_DATASET_UNUSABLE = 1006
    IMPROVEMENT_LEARNER_FAILED = 1007


class StationError(Exception):
    """Something a station could not do, and what a person can do about it.

    :param code: the published error code.
    :param message: one sentence that names the cause and the remedy.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = ErrorCode(code)
        self.message = message

    def __reduce__(self) -> tuple:
        # pickle passes `args` alone, which lack the code: the error could not leave a worker
        return type(self), (self.code, self.message), self.__dict__

    def __str__(self) -> str:
        return f'[{self.code.value} {self.code.name}] {self.message}'
