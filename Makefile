# The developer's interface. Everything is installed inside the checkout (scripts/setup); the second call of each target is quick.
.PHONY: setup build run test check format conformance bench chaos clean

# What `make test` runs of the TypeScript tests: make test ONLY=src/http
ONLY =

setup:
	@scripts/setup

build: setup
	@scripts/build

# Serves the Django example, or another: make run DIR=path/to/project APP=project.wsgi:application ARGS="-w 4"
run: build
	@scripts/run

check:
	@scripts/check

format:
	@scripts/check --write

test: build
	@scripts/test $(ONLY)

# What others have written to test servers: make conformance ARGS=h2spec
conformance: build
	@scripts/conformance $(ARGS)

bench: build
	@scripts/bench $(ARGS)

chaos: build
	@scripts/chaos $(ARGS)

clean:
	rm -rf dist .tools node_modules .mypy_cache .ruff_cache
