# Everything a user or a contributor types. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# nproc believes OMP_NUM_THREADS, which says nothing about the machine.
CORES := $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)

# $(call mpirun,RANKS): Open MPI refuses root and more ranks than cores unless told that both are
# meant, and a waiting rank must then give its core to the others. Hardware threads count as cores,
# as they do in nproc.
crowded = $(shell [ $(1) -gt $(CORES) ] && echo yes)
mpirun = mpirun -np $(1) --use-hwthread-cpus $(if $(filter 0,$(shell id -u)),--allow-run-as-root) \
	$(if $(crowded),--oversubscribe --mca mpi_yield_when_idle 1)
# $(call threads,RANKS): what apus itself has to be told of one thread a rank.
threads = --threads 1 $(if $(crowded),--oversubscribe)

APUS := .build/release/apus
TESTS := .build/debug/apusPackageTests.xctest
# What tests read beside the repository, a trained model of others; they say so where it is missing.
export APUS_MATERIAL ?= $(abspath $(wildcard ../shared/material))
# The suites that also have something to say under mpirun.
MPI_SUITES := ^(MPITests|DataParallelTests|TrainingTests)\.

# Of a test run: failures and the closing lines; what passed or began is left out.
failures_only = sed -u -E '/^(◇|✔) (Test|Suite) (run )?.* (started|passed)/{/^✔ Test run /!d}'

.PHONY: help
help:  ## List the targets
	@sed -n -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: setup
setup:  ## Install the Debian packages that are missing; silent when none is
	@command -v swift >/dev/null || {
	  echo "make: Swift 6.2 or newer has to be there first: https://www.swift.org/install/linux" >&2
	  exit 1
	}
	cluster/setup.sh

.PHONY: build
build: setup  ## Build .build/release/apus
	@swift build -c release --product apus

.PHONY: test
test: setup  ## Run all tests, then those of the ranks under mpirun
	@swift build --build-tests
	NO_COLOR=1 swift test --skip-build --disable-xctest --no-parallel 2>&1 | $(failures_only)
	$(MAKE) --no-print-directory test-mpi

.PHONY: test-mpi
test-mpi: setup  ## Run the MPI suites under mpirun on 1 to 4 ranks
	@swift build --build-tests
	$(foreach ranks,1 2 3 4,$(call test_ranks,$(ranks)))

define test_ranks
echo "— Under mpirun, ranks: $(1)"
EXPECTED_RANKS=$(1) NO_COLOR=1 $(call mpirun,$(1)) --timeout 600 -x EXPECTED_RANKS -x NO_COLOR \
  $(TESTS) --testing-library swift-testing --no-parallel --filter '$(MPI_SUITES)' 2>&1 \
  | $(failures_only)

endef

.PHONY: lint
lint:  ## Check the style of the sources
	@swift format lint --strict -r Sources Tests Package.swift

.PHONY: format
format:  ## Put the sources into the style
	@swift format -i -r Sources Tests Package.swift

.PHONY: bench
bench: setup  ## Measure speed and memory; PYTHON=… runs PyTorch beside, ARGS="--only step --repeats 3"
	@swift build -c release --product apus-bench
	.build/release/apus-bench $(if $(PYTHON),--python "$(PYTHON)") $(ARGS)

.PHONY: demo
demo: build  ## Take a small model down the whole road on this machine, in some minutes
	@say() { printf '\n— %s\n$$ %s\n' "$$1" "$$2"; eval "$$2"; }
	say "From text to an aligned model; interrupt it and start it again, what is done stays done" \
	  "$(strip $(call mpirun,2) $(APUS) run cluster/road.yaml $(call threads,2))"
	say "What each phase changed, on instructions that no phase has seen, and an answer of each" \
	  "$(strip $(call mpirun,2) $(APUS) evaluate runs/road/base runs/road/chat runs/road/aligned \
	  --records runs/road/questions.jsonl --instructions runs/road/questions.jsonl --tokens 110 \
	  $(call threads,2))"

.PHONY: clean
clean:  ## Remove what was built; runs stay
	@rm -rf .build
