# Source me, in bash or zsh from anywhere, in another shell from the root of the tree:
#   . scripts/env.sh
# Afterwards `enpire`, `python` and (on a ROS machine) `ros2` know this tree, as set up by make.

if [ -n "${BASH_SOURCE:-}" ]; then
  _enpire=$(cd "$(dirname "$BASH_SOURCE")/.." && pwd)
elif [ -n "${ZSH_VERSION:-}" ]; then
  eval '_enpire=${${(%):-%x}:A:h:h}'
else
  _enpire=$(pwd)
fi

if [ ! -f "$_enpire/install/local_setup.sh" ]; then
  echo "env.sh: $_enpire is not set up; run: make -C '$_enpire' setup" >&2
  unset _enpire
  return 1
fi

export VIRTUAL_ENV="$_enpire/.venv"
export PATH="$_enpire/install/enpire/lib/enpire:$VIRTUAL_ENV/bin:$PATH"
# Stations are found on this machine alone, unless the caller says otherwise.
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
export FASTRTPS_DEFAULT_PROFILES_FILE="${FASTRTPS_DEFAULT_PROFILES_FILE:-$_enpire/config/fastdds.xml}"
export PYTHONUNBUFFERED=1
if [ -d "$VIRTUAL_ENV/share/rclpy" ]; then
  # The wheels of ROS: the virtual environment is the ROS prefix. Its libraries are named here
  # because the wheels would otherwise start every Python twice to name them.
  export ENPIRE_ROS=wheels ROS_DISTRO=jazzy ROS_VERSION=2 ROS_PYTHON_VERSION=3
  export AMENT_PREFIX_PATH="$VIRTUAL_ENV"
  for _enpire_libs in "$VIRTUAL_ENV/lib" "$VIRTUAL_ENV"/lib/python3*/site-packages/ros_*.libs; do
    [ -d "$_enpire_libs" ] && LD_LIBRARY_PATH="$_enpire_libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  done
  export LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
fi
if [ -n "${BASH_VERSION:-}" ]; then
  . "$_enpire/install/local_setup.bash"
elif [ -n "${ZSH_VERSION:-}" ]; then
  . "$_enpire/install/local_setup.zsh"
else
  . "$_enpire/install/local_setup.sh"
fi
# The tree itself comes before its installed links, so that every path is that of the tree.
export PYTHONPATH="$_enpire${PYTHONPATH:+:$PYTHONPATH}"
unset _enpire _enpire_libs
