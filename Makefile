# The developer's interface. Everything is installed inside the checkout (scripts/setup); the second call of each target is quick.
.PHONY: setup build run test check bench clean

NODE = .tools/bin/node

setup:
	@scripts/setup

build: setup
	@scripts/build

check: setup
	@scripts/check

test: build
	@scripts/test

clean:
	rm -rf dist .tools node_modules

bench: build
	@scripts/bench $(ARGS)
