# The front door of whisper-s4y; `make help` lists what it does. Everything lands in build/.
PREFIX ?= /usr/local
PRESET ?= release
BUILD := build/$(PRESET)

# Files that clang-format lays out; tests and benchmarks included.
SOURCES = $(shell git ls-files '*.cc' '*.h' ':!third_party')

.DEFAULT_GOAL := help
.PHONY: help setup configure build demo web-demo test bench accuracy format format-check lint install \
  docs installed package test-packages test-aarch64 wheel test-wheel clean

help: ## List these targets
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: ## Install missing Debian packages; unpack pinned LiteRT and flatc into build/deps
	@scripts/setup

configure: setup
	@cmake --preset $(PRESET) $(CMAKE_FLAGS) > build/configure-$(PRESET).log 2>&1 || \
	  { cat build/configure-$(PRESET).log; exit 1; }

build: configure ## Build the program: build/release/bin/whisper-s4y
	@cmake --build $(BUILD) --target whisper-s4y

demo: build ## From a clean checkout to text: build, fetch tiny.en, convert, transcribe a recording
	@scripts/demo $(BUILD)/bin/whisper-s4y

web-demo: build ## Build the page of web/demo with its models, and serve it: http://127.0.0.1:8080/
	@scripts/setup --browser
	@scripts/web-demo $(BUILD)/bin/whisper-s4y build/web-demo

test: configure ## Build everything and run all tests
	@cmake --build $(BUILD)
	@scripts/test $(BUILD)

bench: override CMAKE_FLAGS += -DWHISPER_S4Y_BUILD_BENCH=ON
bench: configure ## Time conversion and transcription beside faster-whisper and whisper.cpp
	@cmake --build $(BUILD) --target whisper-s4y transcribe_worker model_bench
	@bench/run $(BUILD) speed --chart docs/performance.svg

accuracy: override CMAKE_FLAGS += -DWHISPER_S4Y_BUILD_BENCH=ON
accuracy: configure ## Word error rates, divergences and word times beside others, into docs/accuracy.md
	@cmake --build $(BUILD) --target whisper-s4y token_divergence
	@bench/run $(BUILD) accuracy --write docs/accuracy.md

format: ## Lay out all sources with clang-format
	@scripts/setup --lint
	@clang-format -i $(SOURCES)

format-check: ## Fail when clang-format would change a source
	@scripts/setup --lint
	@clang-format --dry-run -Werror $(SOURCES)

lint: format-check configure ## format-check, and clang-tidy over src/
	@scripts/lint $(BUILD)

# All that `cmake --install` takes.
installed: build
	@cmake --build $(BUILD) --target whisper_s4y_installed

docs: ## Make the reference of the public headers: build/docs/html/index.html
	@scripts/setup --docs
	@scripts/make-reference build/docs

install: installed ## Install program and library into PREFIX (/usr/local); DESTDIR is honoured
	@cmake --install $(BUILD) --prefix "$(PREFIX)"

package: installed ## Make a Debian package and a .tar.gz in build/release/packages
	@cd $(BUILD) && cpack -G "DEB;TGZ" > packages/cpack.log 2>&1 || { cat packages/cpack.log; exit 1; }
	@ls $(BUILD)/packages/*.deb $(BUILD)/packages/*.tar.gz

wheel: ## Build the Python wheel and an sdist into build/wheel, and check them
	@scripts/wheel

test-wheel: wheel ## Try the wheel in a fresh environment, and as root on a bare Debian 13
	@scripts/test-wheel

test-packages: package ## Try both packages on a bare Debian 12 in a chroot; as root, some minutes
	@scripts/test-packages $(BUILD)/packages

test-aarch64: build ## Build for aarch64; run tests and demo there, in qemu
	@scripts/setup --aarch64
	@cmake --preset aarch64 $(CMAKE_FLAGS) > build/configure-aarch64.log 2>&1 || \
	  { cat build/configure-aarch64.log; exit 1; }
	@cmake --build build/aarch64
	@scripts/test-aarch64 build/aarch64 $(BUILD)

clean: ## Remove the build trees; keeps what was downloaded
	@rm -rf build/release build/debug build/asan build/tsan build/fuzz build/aarch64 build/wheel \
	  build/wheel-build
