# Everything that a developer runs. `make demo` and `make test` need Linux, Python 3.10 or later and Go, nothing else.

PYTHON ?= python3
BIN := .tools/bin
VENV := .venv
PULLGUARD := $(VENV)/bin/pullguard

# The programs that pullguard runs need no C compiler.
GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags='-s -w'
GATEKEEPER := github.com/open-policy-agent/gatekeeper/v3

REGO := $(shell find rego -name '*.rego')
EMBEDDED_REGO := $(filter rego/lib/% rego/policies/%,$(filter-out %_test.rego,$(REGO)))

.PHONY: help demo test test-integrations lint verify bench generate setup tools clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: setup $(BIN)/pullguard-check ## check Gatekeeper's own stock manifest
	@cd tools/gator && go mod download $(GATEKEEPER)
	@manifest=$$(cd tools/gator && go list -m -f '{{.Dir}}' $(GATEKEEPER))/deploy/gatekeeper.yaml && \
	echo && echo "pullguard check $$manifest" && echo && \
	{ $(PULLGUARD) check "$$manifest" || test $$? -eq 1; }

test: setup tools ## run the tests that need no more than the pinned programs
	cd tools && CGO_ENABLED=0 go test ./check
	$(BIN)/opa test --ignore '*.yaml' rego
	@echo "every line of Rego is covered by its tests:"
	$(BIN)/opa test --ignore '*.yaml' --timeout 300s --threshold 100 rego > /dev/null
	$(VENV)/bin/pytest tests/unit tests/engines

test-integrations: setup tools ## run the tests that install pullguard as others do; needs a package index
	$(VENV)/bin/pytest tests/integrations

lint: setup $(BIN)/opa ## check style and types, and that library/ is in step with rego/
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	@cd tools && unformatted=$$(gofmt -l check) && test -z "$$unformatted" || { echo "gofmt -w $$unformatted"; exit 1; }
	cd tools && CGO_ENABLED=0 go vet ./check
	$(BIN)/opa fmt --fail --list rego
	$(BIN)/opa check --strict $(REGO)
	$(PULLGUARD) generate --check

verify: setup tools ## run the library's Suites in gator, and check its Rego against the OPA that Gatekeeper carries
	$(BIN)/gator verify library/...
	$(BIN)/opa check --strict --capabilities v1.17.1 $(EMBEDDED_REGO)

bench: setup tools ## measure, and print the figures of docs/benchmarks.md
	$(VENV)/bin/python bench/check.py --large
	$(VENV)/bin/python bench/suites.py
	$(VENV)/bin/python bench/reviews.py
	$(VENV)/bin/python bench/admission.py

generate: setup $(BIN)/opa ## write library/ from rego/ and pullguard.yaml
	$(PULLGUARD) generate

setup: $(VENV)/.installed ## make the virtual environment with pullguard in it

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

tools: $(BIN)/pullguard-check $(BIN)/opa $(BIN)/conftest $(BIN)/gator $(BIN)/admission ## build the programs into .tools/bin

$(BIN)/pullguard-check: tools/go.mod tools/go.sum $(wildcard tools/check/*.go)
	@mkdir -p $(BIN)
	cd tools && $(GO_BUILD) -o ../$@ ./check

$(BIN)/opa: tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	cd tools && $(GO_BUILD) -o ../$@ github.com/open-policy-agent/opa

$(BIN)/conftest: tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	cd tools && $(GO_BUILD) -o ../$@ github.com/open-policy-agent/conftest

$(BIN)/gator: tools/gator/go.mod tools/gator/go.sum
	@mkdir -p $(BIN)
	cd tools/gator && $(GO_BUILD) -o ../../$@ $(GATEKEEPER)/cmd/gator

$(BIN)/admission: $(wildcard tools/admission/*)
	@mkdir -p $(BIN)
	cd tools/admission && $(GO_BUILD) -o ../../$@ .

clean: ## remove what the other targets made
	rm -rf $(VENV) .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
