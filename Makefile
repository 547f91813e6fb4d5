# Every target makes what it needs, once. Options: PYTHON=python3.12, ARGS='...' for the command.

PYTHON ?= python3
ENTER := . scripts/env.sh &&
# pytest loads only the plug-ins that are named: those of a ROS installation get in the way.
PYTEST := PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest \
	-p pytest_timeout -p xdist -p _hypothesis_pytestplugin
LINTED := enpire_nodes launch scripts setup.py test

.PHONY: help setup demo research test test-agents test-lerobot bench bench-learning bench-learner soak lint clean

help:
	@echo 'make demo    let a researcher improve the policy of a simulated station, eight minutes'
	@echo 'make research  let it go on until 50 trials in a row certify the policy'
	@echo 'make test    run the tests                     (ARGS="-k gate" selects some)'
	@echo 'make test-agents  run Claude Code, Codex and Kimi Code against a scripted model, some GB'
	@echo 'make test-lerobot  hold exported datasets against the real lerobot, some GB'
	@echo 'make bench   measure what the suite costs, and its latencies'
	@echo 'make bench-learning  compare the learning algorithms on three stations, about an hour'
	@echo 'make bench-learner   updates a second, beside stable-baselines3 and sbx'
	@echo 'make soak    keep a simulated station at work for about an hour'
	@echo 'make lint    check the style of the code'
	@echo 'make setup   only make what the others need; then ". scripts/env.sh" to work here'
	@echo 'make clean   remove what make made; recorded runs stay in runs/'

setup:
	@$(PYTHON) scripts/set_up.py

demo: setup
	@$(ENTER) enpire demo $(ARGS)

# From the same start until 50 trials in a row certify it; prints the robot's minutes.
research: setup
	@$(ENTER) enpire demo --target 0.94 --confirmation 50 --attempts 8 --retest 20 --hours 3 \
		--robot-minutes 240 $(ARGS)

# A whole station needs both processors: those tests go first, one at a time.
test: setup
	@$(ENTER) $(PYTEST) -m alone $(ARGS); alone=$$?; \
	$(PYTEST) -m 'not alone' -n 2 --dist loadgroup $(ARGS); others=$$?; \
	case "$$alone$$others" in 00|05|50) ;; *) exit 1 ;; esac

# The real command lines of three agents, installed into build/, against a scripted model.
test-agents: setup
	@$(ENTER) python scripts/test_agents.py $(ARGS)

# lerobot wants an environment of its own, in build/; it takes 5 GB where torch brings CUDA.
test-lerobot: setup
	@$(ENTER) python scripts/test_lerobot.py $(ARGS)

bench: setup
	@$(ENTER) enpire bench $(ARGS)

bench-learning: setup
	@$(ENTER) python scripts/bench_learning.py $(ARGS)

# Both libraries get an environment of their own, in build/.
bench-learner: setup
	@$(ENTER) python scripts/measure_learner.py $(ARGS)

# 300 trials of each controller; it fails unless everything that is promised is kept.
soak: setup
	@$(ENTER) enpire soak --trials 300 $(ARGS)

lint: setup
	@$(ENTER) ruff check $(LINTED) && ruff format --check $(LINTED)

clean:
	rm -rf .venv build install log
