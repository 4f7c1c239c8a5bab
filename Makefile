# The commands of users and contributors; `make` without a target lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# nproc obeys OMP_NUM_THREADS, which does not describe the machine.
CORES := $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)

# The MPI library by its pkg-config name: ompi-c (Open MPI) or mpich, each with its build folder.
MPI := ompi-c
BUILD := .build$(if $(filter-out ompi-c,$(MPI)),-$(MPI))

# $(call mpirun,RANKS): Open MPI refuses root and more ranks than cores without these options, and
# with more ranks than cores a waiting rank must yield its core. Hardware threads count as cores, as
# in nproc. MPICH needs no option, and has none by which a rank would yield.
crowded = $(shell [ $(1) -gt $(CORES) ] && echo yes)
mpirun = $(if $(filter mpich,$(MPI)),mpiexec.mpich -n $(1),mpirun -np $(1) --use-hwthread-cpus \
	$(if $(filter 0,$(shell id -u)),--allow-run-as-root) \
	$(if $(crowded),--oversubscribe --mca mpi_yield_when_idle 1))
# $(call threads,RANKS): the options of apus for one thread per rank.
threads = --threads 1 $(if $(crowded),--oversubscribe)

APUS := $(BUILD)/release/apus
TESTS := $(BUILD)/debug/apusPackageTests.xctest
# Test data outside the repository: a published model. Tests print a line when they skip without it.
export APUS_MATERIAL ?= $(abspath $(wildcard ../shared/material))
# A module may import only modules that Package.swift lets it depend on.
SWIFT_BUILD := APUS_MPI=$(MPI) swift build --scratch-path $(BUILD) \
	--explicit-target-dependency-import-check error
# $(call run_tests,OPTIONS): runs the tests that the options select, one after another.
run_tests = NO_COLOR=1 $(TESTS) --testing-library swift-testing --no-parallel $(1) 2>&1 \
	| $(failures_only)
# The suites that also run under mpirun.
MPI_SUITES := ^(MPITests|DataParallelTests|TrainingTests)\.
# The suites that train for minutes.
LONG_SUITES := ^ApusTests\.(RoadTests|KilledPhaseTests)/
# About half the time of all other suites; the two halves run side by side.
HALF := ^ApusTests\.(Adaptation|Audit|Interruption|Pair|Phase|Rank|Reward|Run|Start)
# The suites whose results depend on what `precision: auto` takes, and on the kernels.
AUTO_SUITES := ^(TrainingTests\.|ApusTests\.(PhaseTests|BERTTests|T5Tests|GemmaTests|AdaptationTests|PairSamplingTests)/)
KERNEL_SUITES := ^((TensorsTests|ModelsTests|ObjectivesTests|OptimizersTests|GenerationTests|DataParallelTests|TrainingTests|DebuggingTests)\.|ApusTests\.(RunTests|PhaseTests|BERTTests|T5Tests|GemmaTests)/)
# The precision that `auto` does not take on this CPU: bf16 is faster with AMX, and with AVX512-BF16
# of AMD (BF16Products.areFast).
OTHER_PRECISION = $(shell if grep -qw amx_bf16 /proc/cpuinfo || { grep -q AuthenticAMD /proc/cpuinfo \
	&& grep -qw avx512_bf16 /proc/cpuinfo; }; then echo fp32; else echo bf16; fi)
# A CPU of level x86-64-v3, for all libraries.
V3 := APUS_CPU_LEVEL=x86-64-v3 OPENBLAS_CORETYPE=Haswell ONEDNN_MAX_CPU_ISA=AVX2

# Filters the output of a test run down to failures and the closing lines.
failures_only = sed -u -E '/^(◇|✔) (Test|Suite) (run )?.* (started|passed)/{/^✔ Test run /!d}'

.PHONY: help
help:  ## List the targets
	@sed -n -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: setup
setup:  ## Install missing Debian packages; prints nothing when none is missing
	@command -v swift >/dev/null || {
	  echo "make: Swift is missing; install 6.2 or newer: https://www.swift.org/install/linux" >&2
	  exit 1
	}
	cluster/setup.sh $(MPI)

.PHONY: build
build: setup  ## Build .build/release/apus; MPI=mpich builds .build-mpich/release/apus
	@$(SWIFT_BUILD) -c release --product apus

.PHONY: test
test: setup  ## Run the tests, then the MPI suites under mpirun
	@$(SWIFT_BUILD) --build-tests
	output=$$(mktemp)
	trap 'rm -f $$output' EXIT
	failed=
	# A background process ignores SIGINT unless told otherwise.
	(trap - INT; $(call run_tests,--filter '$(HALF)')) >$$output &
	$(call run_tests,--skip '$(HALF)|$(LONG_SUITES)|$(MPI_SUITES)') || failed=yes
	wait $$! || failed=yes
	cat $$output
	[ -z "$$failed" ]
	$(MAKE) --no-print-directory test-mpi

.PHONY: test-long
test-long: setup  ## Run the longest tests, and repeat suites with other precision and older kernels
	@$(SWIFT_BUILD) --build-tests
	$(call run_tests,--filter '$(LONG_SUITES)')
	echo "— With APUS_AUTO_PRECISION=$(OTHER_PRECISION)"
	APUS_AUTO_PRECISION=$(OTHER_PRECISION) $(call run_tests,--filter '$(AUTO_SUITES)')
	if reason=$$(APUS_CPU_LEVEL=x86-64-v3 .build/debug/apus --version 2>&1); then
	  echo "— With $(V3)"
	  $(V3) $(call run_tests,--filter '$(KERNEL_SUITES)')
	else
	  echo "— SKIPPED: kernels of x86-64-v3: $$reason"
	fi

.PHONY: test-mpi
test-mpi: setup  ## Run the MPI suites under mpirun on 1 to 4 ranks
	@$(SWIFT_BUILD) --build-tests
	$(foreach ranks,1 2 3 4,$(call test_ranks,$(ranks)))

define test_ranks
echo "— Under mpirun, ranks: $(1)"
EXPECTED_RANKS=$(1) NO_COLOR=1 MPIEXEC_TIMEOUT=600 $(call mpirun,$(1)) \
  $(TESTS) --testing-library swift-testing --no-parallel --filter '$(MPI_SUITES)' 2>&1 \
  | $(failures_only)

endef

.PHONY: test-mpich
test-mpich:  ## Build with MPICH, and run the MPI suites under its mpiexec on 1 to 4 ranks
	@$(MAKE) --no-print-directory MPI=mpich test-mpi test-other-mpi

.PHONY: test-other-mpi
test-other-mpi: setup
	@$(call run_tests,--filter '^ApusTests\.OtherMPITests/')

.PHONY: test-cluster
test-cluster: setup  ## Try failures on hosts made of network namespaces; SHORT=1, ONLY="kill cut"
	@$(SWIFT_BUILD) --product apus
	cluster/test.sh

.PHONY: lint
lint:  ## Check the format of the sources
	@swift format lint --strict -r Sources Tests Package.swift

.PHONY: format
format:  ## Format the sources
	@swift format -i -r Sources Tests Package.swift

# docc is a part of Swift's toolchains, but not always in PATH.
DOCC = $(shell command -v docc || echo "$$(dirname "$$(readlink -f "$$(command -v swift)")")/docc")

.PHONY: docs
docs:  ## Build the documentation into .build/docs, a static web site
	@"$(DOCC)" convert Sources/Apus/Apus.docc --output-path .build/docs \
	  --transform-for-static-hosting --warnings-as-errors
	echo "make: written to .build/docs; open documentation/apus/ through any web server"

.PHONY: bench
bench: setup  ## Measure speed and memory; PYTHON=… adds PyTorch, ARGS="--only step --repeats 3"
	@$(SWIFT_BUILD) -c release --product apus-bench
	.build/release/apus-bench $(if $(PYTHON),--python "$(PYTHON)") $(ARGS)

.PHONY: package
package: build  ## Pack a tarball and a Debian package for hosts without Swift, in .build/package
	@cluster/package.sh

.PHONY: demo
demo: build  ## Train a small model through all phases on this machine, in some minutes
	@say() { printf '\n— %s\n$$ %s\n' "$$1" "$$2"; eval "$$2"; }
	say "From text to an aligned model; an interrupted run continues with the next start" \
	  "$(strip $(call mpirun,2) $(APUS) run cluster/road.yaml $(call threads,2))"
	say "The effect of each phase on held-out instructions, and an answer of each model" \
	  "$(strip $(call mpirun,2) $(APUS) evaluate runs/road/base runs/road/chat runs/road/aligned \
	  --instructions runs/road/questions.jsonl --tokens 110 $(call threads,2))"
	printf '%s\n' '' '— What to try next' \
	  '$(APUS) generate runs/road/aligned --chat --tokens 110 \' \
	  '  "What happened to Max the duck at the harbour that summer day? Tell me about a theft."' \
	  '  # Another story by the aligned model.' \
	  '$(APUS) annotate runs/road/own.sqlite --model runs/road/chat \' \
	  '  --prompts runs/road/prompts.jsonl --tokens 110' \
	  '  # Choose the better of two stories yourself; a reward model can learn your judgements.' \
	  '$(APUS) run cluster/road.yaml --dry-run' \
	  '  # The stages of this recipe. Copy it, and replace the stages that write files by paths of' \
	  '  # your texts. README.md leads to a guide for every phase.'

.PHONY: clean
clean:  ## Remove build products; runs are kept
	@rm -rf .build .build-mpich
