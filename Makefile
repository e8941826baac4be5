# Everything a developer types; `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help setup build test demo bench emulator-speed inputs-table iree-table iree-programs selection-figures sass check-all format docs clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F "|" '{printf "%-18s %s\n", $$1, $$2}'

setup: ## Install what is missing: Debian packages, and Python packages in .venv
	@scripts/setup.sh

build: setup ## Build the release preset into build/
	@scripts/build.sh release

test: build ## Run every test suite; needs no GPU
	@scripts/test.sh build

demo: build ## Compile a video transformer and run its captured attention without a GPU
	@.venv/bin/python examples/demo.py

bench: build ## Measure compile time, and emulated work for each filter
	@.venv/bin/python benchmarks/compile_time.py

emulator-speed: build ## Measure the emulator: time of a 128-wide tile pair on one core
	@.venv/bin/python benchmarks/emulator_speed.py

inputs-table: build ## Print what becomes of each softmax in exporters' graphs, with registers and spills
	@.venv/bin/python benchmarks/inputs_table.py

selection-figures: build ## Measure recall and size of block lists on captured attention in DATA=FOLDER
	@.venv/bin/python benchmarks/block_selection.py $(or $(DATA),$(error expected DATA=FOLDER with captured attention, found none))

iree-table: build ## Compile every exporter's model by stock IREE and with our kernels; print what each gives
	@.venv/bin/python benchmarks/iree_table.py

iree-programs: build ## Run exporters' graphs as IREE's programs, stock and with our kernels; compare with the CPU
	@.venv/bin/python benchmarks/iree_programs.py

sass: build ## Print instruction counts of the main loops, by ptxas and nvdisasm
	@scripts/setup.sh --cuda
	@.venv/bin/python benchmarks/sass_counts.py

check-all: setup ## All that a release must pass: two compilers, sanitizers, clang-tidy, long numerics, mutants, fuzzers
	@scripts/check-all.sh

format: setup ## Format the C++ sources
	@scripts/format.sh

docs: build ## Write docs/generated anew
	@scripts/generate-docs.sh docs/generated

clean: ## Delete what was built (not .venv)
	@rm -rf build
