# Everything that a developer runs. `make demo` and `make test` need Linux, Python 3.10 or later and Go, nothing else.

PYTHON ?= python3
# Who owns the repository on GitHub: what is released names the places of its artifacts by it. `make dist OWNER=name` sets it.
export OWNER ?= OWNER
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' generator/pullguard/__init__.py)
BIN := .tools/bin
VENV := .venv
PULLGUARD := $(VENV)/bin/pullguard
# The programs of Python that build, describe and try what is released.
PACKAGING := .tools/packaging
# The engine has OPA's own command line.
OPA := $(BIN)/pullguard-engine opa
PYTEST := $(VENV)/bin/pytest --numprocesses=auto --dist=worksteal

# The programs that pullguard runs need no C compiler. The same sources give the same bytes, whatever Git says of the checkout.
GO_BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w'
# The engine knows which version of pullguard it belongs to.
ENGINE_BUILD := $(subst -s -w,-s -w -X main.version=$(VERSION),$(GO_BUILD))
# What wheels are for, as <goos>-<goarch>: pyproject.toml has their tags.
PLATFORMS := $(shell sed -n '/^\[.*\.tags\]/,/^$$/s/^\([a-z0-9-]*\) = .*/\1/p' pyproject.toml)
tag = $(shell sed -n '/^\[.*\.tags\]/,/^$$/s/^$(1) = "\(.*\)"/\1/p' pyproject.toml)
engine = .tools/engines/$(1)/pullguard-engine$(if $(filter windows-%,$(1)),.exe)
# The bill of materials of an engine, and that of the package.
bill = .tools/engines/$(1)/pullguard-engine.cdx.json
PACKAGE_BILL := .tools/engines/pullguard.cdx.json
LICENSES := THIRD_PARTY_LICENSES.txt
wheel = dist/pullguard-$(VERSION)-py3-none-$(call tag,$(1)).whl
# The image and its kubectl for an architecture; `make dist/pullguard-image-VERSION-arm64.tar` builds what `make dist` does not.
MACHINE := $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(shell uname -m)))
image = dist/pullguard-image-$(VERSION)-$(1).tar
kubectl = $(if $(filter $(MACHINE),$(1)),$(BIN)/kubectl,.tools/kubectl/$(1)/kubectl)
# What goes into wheels beside the engine.
PACKAGED := $(shell find generator/pullguard rego library -type f -not -name '*.pyc') pyproject.toml hatch_build.py README.md LICENSE
ENGINE_SOURCES := tools/go.mod tools/go.sum .tools/version $(shell find tools/engine -name '*.go' -not -name '*_test.go')
# The levels of enforcement, each a folder of the library.
LEVELS := audit warn deny
# The control plane, and what runs pods on it.
KUBERNETES := kube-apiserver kube-controller-manager kubectl
NODE := kubelet kube-scheduler
CONTAINERD := containerd containerd-shim-runc-v2 ctr
GATEKEEPER := github.com/open-policy-agent/gatekeeper/v3
GATEKEEPER_MANIFEST := .tools/manifests/gatekeeper.yaml
GATEKEEPER_OLDEST_MANIFEST := .tools/manifests/gatekeeper-oldest.yaml
POLICY_REPORTS := .tools/manifests/policyreports
GITOPS := .tools/manifests/gitops

REGO := $(shell find rego -name '*.rego')
EMBEDDED_REGO := $(filter rego/lib/% rego/policies/%,$(filter-out %_test.rego,$(REGO)))

.PHONY: help demo dist dist-wheels dist-image image-folders dist-site dist-library dist-kubectl test test-audit test-faults test-oracles test-browser test-cluster test-matrix test-incident incident-table image-defaults test-integrations test-dist lint lint-workflows release-lock check-release verify bench bench-audit bench-builds bench-webhook generate setup \
	tools cluster-tools incident-tools clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

# The wheel of this machine.
HOST := $(shell uname -s | tr A-Z a-z)-$(MACHINE)

demo: ## check Gatekeeper's own stock manifest, with WHEEL=FILE, a wheel in dist/ or that of OWNER's release, or else with Go
	@MAKE="$(MAKE)" $(PYTHON) packaging/demo.py --wheel "$(WHEEL)" --built "$(call wheel,$(HOST))" --owner "$(OWNER)" --version "$(VERSION)"

test: setup tools ## run the tests that need no more than the pinned programs
	cd tools && CGO_ENABLED=0 go test ./engine/...
	$(BIN)/regal test .regal/rules
	$(PYTEST) tests/unit tests/engines

test-oracles: setup tools ## hold the verdicts to the own code of Kubernetes and gator, on random and real objects
	$(PYTEST) tests/oracles

test-faults: setup tools ## run the tests of hostile input, full disks, little memory, and programs that are killed
	$(PYTEST) tests/faults

test-browser: setup ## run the tests in Chromium; needs chromium and chromium-driver
	$(VENV)/bin/pytest tests/browser

test-cluster: setup tools cluster-tools $(BIN)/helm $(BIN)/helm4 ## run the tests in a cluster of their own; needs root
	$(VENV)/bin/pytest tests/cluster

test-audit: setup tools cluster-tools ## run the tests of audits of a real cluster; needs root
	$(VENV)/bin/pytest tests/audit

test-incident: setup tools incident-tools dist-image ## play the incident with a kubelet and containerd; needs root and cgroups
	$(VENV)/bin/pytest tests/incident

incident-table: setup tools incident-tools dist-image ## play it, and write the table of docs/incident.md
	$(VENV)/bin/pytest tests/incident --write-table

image-defaults: setup cluster-tools ## ask a real API server for the pull policies in tests/data; needs root
	$(VENV)/bin/python tests/image_defaults.py

test-integrations: setup tools dist-wheels $(BIN)/helm $(BIN)/helm4 $(BIN)/kustomize $(GITOPS) ## run the tests that install pullguard as others do; needs a package index
	$(VENV)/bin/pytest tests/integrations

dist: dist-wheels dist-image dist-library dist-kubectl dist-site ## build what is released into dist/
	$(PYTHON) packaging/release.py sums dist

release-lock: dist ## state the hashes of the wheels in integrations/release.lock, when a release is cut
	$(PYTHON) packaging/release.py lock dist

# Of a release that is published: make check-release FILES=folder-of-the-release-page TAG=v0.1.0
WAIT ?= 0
check-release: ## install what was published, and try it
	$(PYTHON) packaging/check_release.py "$(FILES)" --tag "$(TAG)" --wait "$(WAIT)"

dist-wheels: $(foreach platform,$(PLATFORMS),$(call wheel,$(platform)) dist/pullguard-engine-$(VERSION)-$(platform).cdx.json) \
	dist/pullguard-$(VERSION).cdx.json dist/pullguard-$(VERSION).tar.gz ## build the wheel of each platform, and the sdist

define WHEEL_RULES
$$(call engine,$(1)): $$(ENGINE_SOURCES)
	@mkdir -p $$(@D)
	cd tools && GOOS=$$(word 1,$$(subst -, ,$(1))) GOARCH=$$(word 2,$$(subst -, ,$(1))) $$(ENGINE_BUILD) -o ../$$@ ./engine

$$(call bill,$(1)): $$(call engine,$(1)) packaging/engine_parts.py $$(BIN)/cyclonedx-gomod
	$$(PYTHON) packaging/engine_parts.py bill --engine $$< --tool $$(BIN)/cyclonedx-gomod --version $$(VERSION) --out $$@ $(1)

dist/pullguard-engine-$$(VERSION)-$(1).cdx.json: $$(call bill,$(1))
	@mkdir -p dist
	cp $$< $$@

$$(call wheel,$(1)): $$(call engine,$(1)) $$(call bill,$(1)) $$(PACKAGE_BILL) $$(LICENSES) $$(PACKAGED) $$(PACKAGING)/.installed
	PULLGUARD_PLATFORM=$(1) $$(PACKAGING)/bin/hatchling build --target wheel --directory dist
	@touch $$@
endef
$(foreach platform,$(PLATFORMS),$(eval $(call WHEEL_RULES,$(platform))))

$(PACKAGE_BILL): integrations/requirements.lock pyproject.toml $(PACKAGING)/.installed
	@mkdir -p $(@D)
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml >$(@D)/pyproject.toml
	env -u SOURCE_DATE_EPOCH PYTHONWARNINGS=ignore $(PACKAGING)/bin/cyclonedx-py requirements --pyproject $(@D)/pyproject.toml \
	  --output-reproducible --output-file $@ $<

dist/pullguard-$(VERSION).cdx.json: $(PACKAGE_BILL)
	@mkdir -p dist
	cp $< $@

# Of the Go modules in all engines.
$(LICENSES): packaging/engine_parts.py $(ENGINE_SOURCES)
	$(PYTHON) $< licenses --out $@ $(PLATFORMS)

dist/pullguard-$(VERSION).tar.gz: $(LICENSES) $(PACKAGED) $(ENGINE_SOURCES) $(shell find tools/engine -type f) Makefile CHANGELOG.md pullguard.yaml .gitignore \
	$(PACKAGING)/.installed
	$(PACKAGING)/bin/hatchling build --target sdist --directory dist
	@touch $@

dist-image: $(call image,$(MACHINE)) ## build the image for this architecture, with kubectl; needs the apt of Debian

define IMAGE_RULES
$$(call image,$(1)): $$(call wheel,linux-$(1)) $$(call kubectl,$(1)) $$(wildcard packaging/image/*.*) requirements.lock $$(PACKAGING)/.installed
	SOURCE_DATE_EPOCH=$$$${SOURCE_DATE_EPOCH:-$$$$(git log -1 --format=%ct)} PYTHONPATH=packaging $$(PACKAGING)/bin/python -m image \
	  --architecture=$(1) --wheel=$$< --kubectl=$$(call kubectl,$(1)) --owner=$$(OWNER) --revision=$$$$(git rev-parse HEAD)
endef
$(foreach architecture,amd64 arm64,$(eval $(call IMAGE_RULES,$(architecture))))

# For packaging/image/Dockerfile.
image-folders: $(call wheel,linux-$(MACHINE)) $(BIN)/kubectl $(PACKAGING)/.installed
	rm -rf .tools/image/layers
	PYTHONPATH=packaging $(PACKAGING)/bin/python -m image --wheel=$< --kubectl=$(BIN)/kubectl --owner=$(OWNER) --folders=.tools/image/layers

LIBRARY := $(shell find library -type f)
LIBRARY_BUNDLES := $(foreach bundle,conftest-$(VERSION) $(LEVELS:%=gator-$(VERSION)-%) kustomize-$(VERSION),dist/pullguard-library-$(bundle).oci.tar)

LIBRARY_CHART := dist/pullguard-library-$(VERSION).tgz

dist-library: $(LIBRARY_BUNDLES) $(LIBRARY_CHART) ## write the library for those who do not clone: OCI bundles and a Helm chart

$(LIBRARY_BUNDLES) &: packaging/library_bundles.py packaging/archives.py $(LIBRARY) $(BIN)/kustomize
	$(PYTHON) $< --library library --kustomize $(BIN)/kustomize --version $(VERSION) --owner $(OWNER) --out dist

$(LIBRARY_CHART): packaging/library_chart.py packaging/archives.py $(LIBRARY) $(BIN)/helm
	$(PYTHON) $< --library library --helm $(BIN)/helm --version $(VERSION) --owner $(OWNER) --out dist

plugin = dist/kubectl-pullguard-$(VERSION)-$(1).tar.gz

dist-kubectl: dist/pullguard.yaml ## write the plugin of kubectl for krew: an archive for each platform, and a manifest

define PLUGIN_RULE
$$(call plugin,$(1)): packaging/krew_plugin.py packaging/archives.py $$(call wheel,$(1)) integrations/requirements.lock LICENSE $$(PACKAGING)/.installed
	$$(PACKAGING)/bin/python $$< --version $$(VERSION) --out $$@ archive --platform $(1) --wheel $$(call wheel,$(1)) --lock integrations/requirements.lock --wheels .tools/plugin-wheels --license LICENSE
endef
$(foreach platform,$(PLATFORMS),$(eval $(call PLUGIN_RULE,$(platform))))

dist/pullguard.yaml: packaging/krew_plugin.py $(foreach platform,$(PLATFORMS),$(call plugin,$(platform)))
	$(PACKAGING)/bin/python $< --version $(VERSION) --out $@ manifest --owner $(OWNER) $(filter %.tar.gz,$^)

dist-site: dist/site/index.html ## build the documentation as a site: dist/site/index.html

# What it is made of. What pages link to beside these is small, and changes seldom: the whole of integrations/.
SITE_SOURCES := mkdocs.yml CHANGELOG.md CONTRIBUTING.md SECURITY.md README.zh-CN.md library/MANIFEST generator/pullguard/cli.py \
	$(shell find docs integrations packaging/site -type f -not -path '*/__pycache__/*')

dist/site/index.html: $(SITE_SOURCES) $(PACKAGING)/.installed
	OWNER=$(OWNER) NO_MKDOCS_2_WARNING=1 $(PACKAGING)/bin/mkdocs build --strict --site-dir $(CURDIR)/$(@D)
	@touch $@

lint-workflows: $(PACKAGING)/.installed $(BIN)/actionlint ## check the workflows and the action for GitHub
	$(BIN)/actionlint
	$(PACKAGING)/bin/zizmor --offline --quiet --pedantic .

# Hours, the first time: it builds a gator for each release, and an API server. Nothing of it is part of CI.
test-matrix: setup tools cluster-tools $(BIN)/gator-oldest .tools/matrix/kubernetes-oldest/kube-apiserver ## try every supported version of Gatekeeper, Kubernetes and Python, and write docs/versions.md; needs root
	$(VENV)/bin/pytest tests/matrix --write-versions

test-dist: setup tools $(BIN)/crane $(BIN)/kubectl $(BIN)/krew $(BIN)/validate-krew-manifest dist lint-workflows ## install and try what is in dist/
	$(VENV)/bin/pytest tests/dist

lint: setup $(BIN)/pullguard-engine $(BIN)/regal ## check style, types and layers, and that library/ is in step with rego/
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	for platform in darwin win32; do $(VENV)/bin/mypy --platform $$platform --cache-dir .mypy_cache/$$platform generator/pullguard || exit; done
	$(VENV)/bin/lint-imports --no-logo --no-cache
	@cd tools && unformatted=$$(gofmt -l engine admission kubernetes) && test -z "$$unformatted" || { echo "gofmt -w $$unformatted"; exit 1; }
	cd tools && CGO_ENABLED=0 go vet ./engine/...
	$(OPA) fmt --fail --list rego .regal
	$(OPA) check --strict $(REGO)
	$(BIN)/regal lint rego .regal/rules
	$(PULLGUARD) generate --check

verify: setup tools $(BIN)/gator-oldest ## run the library's Suites in gator, and check its Rego against the OPA that Gatekeeper carries
	$(BIN)/gator verify library/...
	$(BIN)/gator-oldest verify library/...
	$(OPA) check --strict --capabilities v1.17.1 $(EMBEDDED_REGO)

bench: setup tools ## measure, and print the figures of docs/benchmarks.md
	$(VENV)/bin/python bench/check.py --large
	$(VENV)/bin/python bench/suites.py
	$(VENV)/bin/python bench/reviews.py
	$(VENV)/bin/python bench/admission.py
	$(VENV)/bin/python bench/containers.py
	$(VENV)/bin/python bench/growth.py
	$(VENV)/bin/python bench/outage.py

bench-builds: setup tools $(BIN)/helm $(BIN)/kustomize ## measure checks of charts and kustomizations beside helm and kustomize
	$(VENV)/bin/python bench/builds.py

bench-webhook: setup tools cluster-tools ## measure the webhook with the largest pod that etcd can hold; needs root
	$(VENV)/bin/python bench/largest_pod.py

bench-audit: setup tools cluster-tools ## measure audits of 30,000 objects in a cluster of their own; needs root
	$(VENV)/bin/python bench/audit.py

generate: setup $(BIN)/pullguard-engine ## write library/ from rego/ and pullguard.yaml
	$(PULLGUARD) generate

setup: $(VENV)/.installed ## make the virtual environment with pullguard in it

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(VENV)/bin/python -m compileall -q generator
	touch $@

$(PACKAGING)/.installed: packaging/requirements.lock
	$(PYTHON) -m venv $(PACKAGING)
	$(PACKAGING)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

tools: $(BIN)/pullguard-engine $(BIN)/regal $(BIN)/conftest $(BIN)/gator $(BIN)/admission $(BIN)/kubelet-images $(GATEKEEPER_MANIFEST) $(GATEKEEPER_OLDEST_MANIFEST) ## build the programs into .tools/bin

$(BIN)/pullguard-engine: $(ENGINE_SOURCES)
	@mkdir -p $(BIN)
	cd tools && $(ENGINE_BUILD) -o ../$@ ./engine

# Changes with the version only.
.tools/version: generator/pullguard/__init__.py
	@mkdir -p $(@D)
	@echo $(VERSION) | cmp -s - $@ || echo $(VERSION) >$@

$(BIN)/actionlint: tools/actionlint/go.mod tools/actionlint/go.sum
	@mkdir -p $(BIN)
	cd tools/actionlint && $(GO_BUILD) -o ../../$@ github.com/rhysd/actionlint/cmd/actionlint

$(BIN)/conftest: tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	cd tools && $(GO_BUILD) -o ../$@ github.com/open-policy-agent/conftest

$(BIN)/regal: tools/regal/go.mod tools/regal/go.sum
	@mkdir -p $(BIN)
	cd tools/regal && $(GO_BUILD) -o ../../$@ github.com/open-policy-agent/regal

$(BIN)/cyclonedx-gomod: tools/cyclonedx/go.mod tools/cyclonedx/go.sum
	@mkdir -p $(BIN)
	cd tools/cyclonedx && $(GO_BUILD) -o ../../$@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

# What bench/builds.py compares builds with, and tests run `fix` under.
$(BIN)/helm: tools/builders/go.mod tools/builders/go.sum
	@mkdir -p $(BIN)
	cd tools/builders && $(GO_BUILD) -o ../../$@ helm.sh/helm/v3/cmd/helm

$(BIN)/kustomize: tools/builders/go.mod tools/builders/go.sum
	@mkdir -p $(BIN)
	cd tools/builders && $(GO_BUILD) -o ../../$@ sigs.k8s.io/kustomize/kustomize/v5

# The newer Helm, which takes post-renderers as plugins.
$(BIN)/helm4: tools/helm4/go.mod tools/helm4/go.sum
	@mkdir -p $(BIN)
	cd tools/helm4 && $(GO_BUILD) -o ../../$@ helm.sh/helm/v4/cmd/helm

# Reads and writes OCI registries, and is one: `crane registry serve`.
$(BIN)/crane: tools/oci/go.mod tools/oci/go.sum
	@mkdir -p $(BIN)
	cd tools/oci && $(GO_BUILD) -o ../../$@ github.com/google/go-containerregistry/cmd/crane

# Installs plugins of kubectl, and validates their manifests.
$(BIN)/krew $(BIN)/validate-krew-manifest: $(BIN)/%: tools/krew/go.mod tools/krew/go.sum
	@mkdir -p $(BIN)
	cd tools/krew && $(GO_BUILD) -o ../../$@ sigs.k8s.io/krew/cmd/$*

$(BIN)/gator: tools/gatekeeper/go.mod tools/gatekeeper/go.sum
	@mkdir -p $(BIN)
	cd tools/gatekeeper && $(GO_BUILD) -o ../../$@ $(GATEKEEPER)/cmd/gator

# The oldest Gatekeeper that the library is tried with: docs/versions.md names it.
$(BIN)/gator-oldest: tools/gatekeeper-oldest/go.mod tools/gatekeeper-oldest/go.sum
	@mkdir -p $(BIN)
	cd tools/gatekeeper-oldest && $(GO_BUILD) -o ../../$@ $(GATEKEEPER)/cmd/gator

cluster-tools: $(BIN)/etcd $(KUBERNETES:%=$(BIN)/%) $(BIN)/gatekeeper $(POLICY_REPORTS) ## build what a cluster on this machine consists of

incident-tools: cluster-tools $(NODE:%=$(BIN)/%) $(CONTAINERD:%=$(BIN)/%) $(BIN)/pause $(BIN)/pushgateway ## build what runs pods there as well

$(BIN)/etcd: tools/etcd/go.mod tools/etcd/go.sum
	@mkdir -p $(BIN)
	cd tools/etcd && $(GO_BUILD) -o ../../$@ go.etcd.io/etcd/server/v3

# kubectl cannot read a version that is not stated.
define BUILD_KUBERNETES
@mkdir -p $(@D)
cd $(or $(2),tools/kubernetes) && version=$$(go list -m -f '{{.Version}}' k8s.io/kubernetes) && \
minor=$${version#v1.} && package=k8s.io/component-base/version && \
GOARCH=$(1) CGO_ENABLED=0 go build -trimpath -o ../../$@ -ldflags="-s -w \
  -X $$package.gitVersion=$$version -X $$package.gitMajor=1 -X $$package.gitMinor=$${minor%.*}" k8s.io/kubernetes/cmd/$(@F)
endef

$(KUBERNETES:%=$(BIN)/%) $(NODE:%=$(BIN)/%): tools/kubernetes/go.mod tools/kubernetes/go.sum
	$(call BUILD_KUBERNETES,)

# The oldest API server that the library is tried with, for `make test-matrix`.
.tools/matrix/kubernetes-oldest/kube-apiserver: tools/kubernetes-oldest/go.mod tools/kubernetes-oldest/go.sum
	$(call BUILD_KUBERNETES,,tools/kubernetes-oldest)

.tools/kubectl/%/kubectl: tools/kubernetes/go.mod tools/kubernetes/go.sum
	$(call BUILD_KUBERNETES,$*)

# For the snapshots of btrfs and zfs, containerd needs their libraries.
$(CONTAINERD:%=$(BIN)/%): $(BIN)/%: tools/containerd/go.mod tools/containerd/go.sum
	@mkdir -p $(BIN)
	cd tools/containerd && $(GO_BUILD) -tags no_btrfs,no_zfs -o ../../$@ github.com/containerd/containerd/v2/cmd/$*

$(BIN)/pause: tests/local_cluster/pause/main.go
	@mkdir -p $(BIN)
	$(GO_BUILD) -o $@ $<

# What the CronJobs of docs/ push their metrics to.
$(BIN)/pushgateway: tools/pushgateway/go.mod tools/pushgateway/go.sum
	@mkdir -p $(BIN)
	cd tools/pushgateway && $(GO_BUILD) -o ../../$@ github.com/prometheus/pushgateway

$(BIN)/gatekeeper: tools/gatekeeper/go.mod tools/gatekeeper/go.sum
	@mkdir -p $(BIN)
	cd tools/gatekeeper && $(GO_BUILD) -o ../../$@ $(GATEKEEPER)

$(GATEKEEPER_MANIFEST): tools/gatekeeper/go.mod
	@mkdir -p $(@D)
	cd tools/gatekeeper && go mod download $(GATEKEEPER) && \
	install -m 644 "$$(go list -m -f '{{.Dir}}' $(GATEKEEPER))/deploy/gatekeeper.yaml" ../../$@

$(GATEKEEPER_OLDEST_MANIFEST): tools/gatekeeper-oldest/go.mod
	@mkdir -p $(@D)
	cd tools/gatekeeper-oldest && go mod download $(GATEKEEPER) && \
	install -m 644 "$$(go list -m -f '{{.Dir}}' $(GATEKEEPER))/deploy/gatekeeper.yaml" ../../$@

$(BIN)/admission: $(wildcard tools/admission/*)
	@mkdir -p $(BIN)
	cd tools/admission && $(GO_BUILD) -o ../../$@ .

$(BIN)/kubelet-images: tools/kubernetes/go.mod tools/kubernetes/go.sum $(wildcard tools/kubernetes/images/*)
	@mkdir -p $(BIN)
	cd tools/kubernetes && $(GO_BUILD) -o ../../$@ ./images

# Of PolicyReports only the definitions are needed, and Kyverno's module has them.
$(POLICY_REPORTS): tools/policyreports/go.mod tools/policyreports/go.sum
	@mkdir -p $@
	cd tools/policyreports && go mod download github.com/kyverno/kyverno && \
	install -m 644 "$$(go list -m -f '{{.Dir}}' github.com/kyverno/kyverno)"/config/crds/policyreport/*.yaml ../../$@
	@touch $@

# Of Flux and Argo CD only the definitions are needed.
$(GITOPS): tools/gitops/go.mod tools/gitops/go.sum
	@mkdir -p $@
	cd tools/gitops && go mod download && dir() { go list -m -f '{{.Dir}}' "$$1"; } && \
	install -m 644 "$$(dir github.com/fluxcd/source-controller)"/config/crd/bases/*_ocirepositories.yaml \
	  "$$(dir github.com/fluxcd/kustomize-controller)"/config/crd/bases/*_kustomizations.yaml \
	  "$$(dir github.com/argoproj/argo-cd/v3)"/manifests/crds/application-crd.yaml ../../$@
	@touch $@

clean: ## remove what the other targets made
	rm -rf $(VENV) .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist $(LICENSES)
