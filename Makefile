# Two commands for a newcomer: `make run` and `make test`. Both install what the system lacks and say so.

SWIFT      ?= swift
LIBRARIES  := libncurses-dev libsqlite3-dev libwebsockets-dev libssl-dev
TEST_TOOLS := tmux python3 python3-venv curl openssl gcc binutils
PREFIX     ?= /usr/local
# A binary that needs no Swift on the machine it runs on.
# The toolchain's own linker packs relocations, and nobody needs the program's symbols.
SMALL      := -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs \
              -Xlinker --icf=all -Xlinker --no-eh-frame-hdr -Xlinker -T -Xlinker $(CURDIR)/.ci/no-unwind.ld
STATIC_BUILD = $(SWIFT) build --configuration release --static-swift-stdlib $(SMALL) --product bincount \
               --scratch-path .build-install
DATA       ?= $(HOME)/.local/share/bincount-demo

.PHONY: help run test bench torture format format-check install deps test-deps clean

help:
	@echo "make run [FRESH=1]  the counting screen on a sample warehouse; without a terminal, a scripted shift"
	@echo "make test           everything a contributor needs, on a machine with only a Swift toolchain"
	@echo "make bench [ROWS=…] the table of figures, written to .build/bench.json too; ROWS=soak MINUTES=10 soaks,"
	@echo "                    ROWS=idle weighs 2,000 idle connections"
	@echo "make torture        longer: many more seeds, kill and power-cut loops"
	@echo "make format         rewrite Swift sources in the house style;  make format-check only looks"
	@echo "make install        a stripped static binary and its screens under PREFIX ($(PREFIX))"
	@echo "make deps           only install the missing system libraries"

deps:
	@bash .ci/deps $(LIBRARIES)

test-deps: deps
	@bash .ci/deps $(TEST_TOOLS)

run: deps
	@echo "Building (the first time takes some minutes) ..."
	@SWIFT="$(SWIFT)" bash .ci/build --product bincount
	@exec "$$($(SWIFT) build --show-bin-path)/bincount" demo --data "$(DATA)" $(if $(FRESH),--fresh)

test: test-deps
	@bash Tests/run

# What is installed is what is started and weighed.
bench: deps
	@$(SWIFT) build --configuration release --product bench
	@case ",$(ROWS)," in ,,|*,cold-start,*) $(STATIC_BUILD) ;; esac
	@"$$($(SWIFT) build --configuration release --show-bin-path)/bench" $(if $(ROWS),--rows $(ROWS)) $(if $(MINUTES),--minutes $(MINUTES))

torture: test-deps
	@TORTURE=1 bash Tests/run

format:
	@$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

format-check:
	@$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests

install: deps
	@$(STATIC_BUILD)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/bincount/screens"
	install -s -m 755 "$$($(STATIC_BUILD) --show-bin-path)/bincount" "$(DESTDIR)$(PREFIX)/bin/bincount"
	install -m 644 screens/* "$(DESTDIR)$(PREFIX)/share/bincount/screens/"

clean:
	rm -rf .build .build-*
