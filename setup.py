"""The ament_python package ``enpire``: the nodes, the command, and what they read at run time."""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'enpire'
#: Executable of `ros2 run enpire ...` -> the module whose ``main`` it calls.
NODES = {
    'simulated_station': 'enpire_nodes.drivers.simulated.node',
    'arm_adapter': 'enpire_nodes.drivers.adapter.node',
    'safety_gate': 'enpire_nodes.environment.safety_gate',
    'scene_reset': 'enpire_nodes.environment.scene_reset',
    'reward_classifier': 'enpire_nodes.environment.reward_classifier',
    'policy_executor': 'enpire_nodes.rollout.policy_executor',
    'trial_recorder': 'enpire_nodes.rollout.trial_recorder',
    'trial_runner': 'enpire_nodes.rollout.trial_runner',
    'judge_auditor': 'enpire_nodes.rollout.judge_auditor',
    'agent_supervisor': 'enpire_nodes.evolution.agent_supervisor',
    'station_container': 'enpire_nodes.bringup.container',
}
#: Controller -> its class, in a module of the same name.
CONTROLLERS = {
    'demonstrator': 'Demonstrator',
    'hold': 'Hold',
    'learned': 'Learned',
    'replay': 'Replay',
    'scripted': 'Scripted',
    'spiral_search': 'SpiralSearch',
    'teleop': 'Teleop',
}
#: Agent -> its adapter's class, in a module of the same name.
AGENTS = {'builtin': 'Builtin', 'claude': 'Claude', 'codex': 'Codex', 'kimi': 'Kimi'}

#: Where the template of research workspaces lies, and what of it is code.
TEMPLATE = 'improvement/template'
CODE = ('*.py', 'algorithms/*.py')


def shared(*folders: str) -> list[tuple[str, list[str]]]:
    """List the files of some folders as ``data_files`` below ``share/enpire``."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob('*')):
            if path.is_file() and '__pycache__' not in path.parts:
                found.setdefault(f'share/{PACKAGE}/{path.parent}', []).append(str(path))
    return list(found.items())


setup(
    name=PACKAGE,
    version='0.1.0',
    description='Lets a coding agent run its own robot experiments, with nobody at the bench.',
    maintainer='enpire maintainers',
    maintainer_email='maintainers@enpire.dev',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['enpire_nodes', 'enpire_nodes.*']),
    # a workspace's code is copied, never imported from here: it is data
    package_data={
        'enpire_nodes': [
            *('**/*.yaml', '**/*.md', '**/*.jinja', 'sandbox/etc/*'),
            *(f'{TEMPLATE}/{name}' for name in CODE),
        ]
    },
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
        *shared('launch', 'config'),
    ],
    zip_safe=False,
    entry_points={
        'console_scripts': [
            'enpire = enpire_nodes.cli.main:main',
            *(f'{executable} = {module}:main' for executable, module in NODES.items()),
        ],
        'enpire.tasks': ['pin_insertion = enpire_nodes.tasks.pin_insertion.task:PinInsertion'],
        'enpire.controllers': [
            f'{name} = enpire_nodes.rollout.controllers.{name}:{kind}'
            for name, kind in CONTROLLERS.items()
        ],
        'enpire.agents': [
            f'{name} = enpire_nodes.evolution.agents.{name}:{kind}'
            for name, kind in AGENTS.items()
        ],
    },
)
