# souk - build, run, test, install.
#
#   make run [PORT=8080] [SERVER=lighttpd|apache|apache-proxy] [REDIS=off]
#   make start | stop | restart | status     the same in the background
#   make test | check                        every suite | unit and contract
#   make install PREFIX= DESTDIR=            make dist | lint | fuzz | cov | bench
#   make search-shop FILE=products.tsv.gz    a shop and search index of these products, see var/search.env
#   make DEVELOPER=1                         stricter warnings, all are errors
#   make SAN=address,undefined               sanitized build in build-san/
#   make CC=clang                            another compiler
#
# Local settings go to config.mak, which is not tracked.

-include config.mak

MAKEFLAGS += --no-builtin-rules
SHELL      = /bin/bash
PREFIX    ?= /usr/local
PORT      ?= 8080
SERVER    ?= lighttpd
REDIS     ?= on
WORKERS   ?= $(if $(filter 1 on true yes,$(SOUK_CONFORMANCE)),8,4)
AWK       ?= awk
PKGCONFIG ?= pkg-config
INSTALL   ?= install
VERSION   := $(shell cat VERSION)

# Objects of different kinds never share a directory: switching costs nothing.
ifneq ($(FUZZ),)
B ?= build-fuzz
CC = clang
else ifneq ($(SAN),)
B ?= build-san
else ifneq ($(COV),)
B ?= build-cov
else
B ?= build
endif
G := $(B)/gen

# ---- what there is ----------------------------------------------------------

LIB_C  := $(sort $(wildcard lib/*/*.c))
CGI_C  := $(sort $(wildcard cgi-bin/*.c))
CLI_C  := $(sort $(wildcard bin/souk.c bin/cmd_*.c))
WS_C   := $(sort $(wildcard bin/souk-ws*.c))
UNIT_C := $(sort $(wildcard tests/unit/*.c))
FUZZ_C := $(filter-out tests/fuzz/replay.c,$(sort $(wildcard tests/fuzz/*.c)))
SQL    := $(sort $(wildcard sql/query/*.sql))
TOOL   := $(sort $(wildcard tools/*/*.json tools/*/*.sql))
TTOOL  := $(sort $(wildcard tests/tools/*/*.json tests/tools/*/*.sql))
PROMPT := $(sort $(wildcard lib/mcp/prompts/*.json))
NOTICE := $(sort $(wildcard lib/notify/templates/*.tmpl))
APP    := $(sort $(wildcard lib/mcp/apps/*.html))
APPS   := $(sort $(wildcard lib/mcp/apps/*))
CONF_C := $(sort $(wildcard tests/conformance/*.c))
CGI    := $(CGI_C:cgi-bin/%.c=%)

LIB_O  := $(LIB_C:lib/%.c=$(B)/lib/%.o) $(if $(SQL),$(G)/sql.o) \
	$(G)/prompts.o $(G)/templates.o $(G)/apps.o
CGI_O  := $(CGI:%=$(B)/cgi-bin/%.o)
CLI_O  := $(CLI_C:%.c=$(B)/%.o)
# Programs outside cgi-bin that look at the routes (OpenAPI) take them from here.
ROUTES  := $(if $(CGI),$(B)/lib/libroutes.a)
LIBSOUK := $(B)/lib/libsouk.a $(B)/lib/libtools.a

PROGS  := $(CGI:%=$(B)/cgi-bin/%) $(if $(CGI),$(B)/souk.fcgi) \
	$(if $(wildcard bin/souk.c),$(B)/bin/souk) $(B)/bin/souk-stdio $(B)/bin/souk-ws
TESTFCGI := $(if $(CGI),$(B)/souk-test.fcgi)
CONFCGI  := $(if $(CONF_C),$(B)/souk-conformance.fcgi $(B)/souk-stdio-conformance)
UNITS  := $(UNIT_C:tests/unit/%.c=$(B)/tests/unit_%)
REPLAY := $(FUZZ_C:tests/fuzz/%.c=$(B)/tests/fuzz_%)
FUZZERS := $(FUZZ_C:tests/fuzz/%.c=$(B)/fuzz/%)

# ---- targets ----------------------------------------------------------------

.PHONY: all tests deps run start stop restart status test check install copy \
	dist lint fuzz cov bench clean help search-shop FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGS)

.PHONY: conformance
conformance: all $(CONFCGI)

tests: all $(TESTFCGI) $(CONFCGI) $(UNITS) $(REPLAY)

# These only drive other makes and scripts, so they work before anything that
# a build needs is installed.
DRIVERS := deps run start stop restart status test check copy dist lint fuzz \
	cov bench clean help search-shop
# A build of our own uses all processors unless -j was given.
BUILD = +$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
# SOUK_CONFORMANCE=1 make start: with the fixtures of tests/conformance.
CONFORMANCE := $(filter 1 on true yes,$(SOUK_CONFORMANCE))
SERVE := $(if $(CONFORMANCE),SOUK_PROGRAM=souk-conformance.fcgi RATE_MCP=off RATE_DATA=off MCP_STREAMS=6) PORT='$(PORT)' SERVER='$(SERVER)' REDIS='$(REDIS)' \
	WORKERS='$(WORKERS)' SOUK_BUILD='$(B)' bin/souk-serve

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

deps:
	@mk/deps.sh run

run start restart:
	@mk/deps.sh run
	@$(BUILD) all $(if $(CONFORMANCE),conformance)
	@+$(SERVE) $@

stop status:
	@$(SERVE) $@

check test:
	@mk/deps.sh $@
	@$(BUILD) tests
	@B=$(B) tests/run $@

bench:
	@mk/deps.sh test
	@$(BUILD) all
	@bench/run

search-shop:
	@mk/deps.sh run
	@$(BUILD) all
	@SOUK_BUILD='$(B)' mk/search-shop.sh '$(FILE)'

lint:
	@mk/deps.sh lint
	@$(BUILD) gen
	@B=$(B) mk/lint.sh

# Each entry runs for FUZZ_SECONDS; new inputs are kept in build-fuzz/corpus.
FUZZ_SECONDS ?= 60
fuzz:
	@mk/deps.sh lint
	@$(BUILD) FUZZ=1 B=build-fuzz fuzzers
	@mk/fuzz.sh build-fuzz $(FUZZ_SECONDS)

cov:
	@mk/deps.sh check
	@$(BUILD) COV=1 B=build-cov tests
	@mk/cov.sh build-cov

dist:
	@mk/dist.sh $(VERSION)

clean:
	rm -rf build build-san build-cov build-fuzz

# ---- install ----------------------------------------------------------------

D = $(DESTDIR)$(PREFIX)
COPY = $(INSTALL) -m 644 -D -t
EXAMPLES = $(wildcard souk.conf.example lighttpd.conf.example \
	apache.conf.example htaccess.example souk-ws.service.example)
DOCS = $(wildcard README.md CHANGELOG.md SECURITY.md LICENSE docs/*.md)

install: all
	@+$(MAKE) --no-print-directory copy

# Put in place what has been built.
copy:
	@$(INSTALL) -d $(D)/bin $(D)/lib/souk/cgi-bin $(D)/share/souk/htdocs
	@$(INSTALL) -m 755 $(wildcard $(B)/bin/souk $(B)/bin/souk-stdio $(B)/bin/souk-ws) bin/souk-serve bin/souk-draw $(D)/bin
	@$(if $(CGI),$(INSTALL) -m 755 $(B)/souk.fcgi $(wildcard $(CGI:%=$(B)/cgi-bin/%)) \
		$(D)/lib/souk/cgi-bin)
	@$(foreach d,. migrations app demo,$(if $(wildcard sql/$d/*.sql), \
		$(COPY) $(D)/share/souk/sql/$d $(wildcard sql/$d/*.sql);))
	@[ ! -x $(B)/bin/souk ] || { \
		$(INSTALL) -d $(D)/share/bash-completion/completions && \
		$(B)/bin/souk completion bash \
			> $(D)/share/bash-completion/completions/souk; }
	@$(if $(EXAMPLES),$(COPY) $(D)/share/souk $(EXAMPLES))
	@$(if $(DOCS),$(COPY) $(D)/share/doc/souk $(DOCS))
	@cp -R htdocs/. $(D)/share/souk/htdocs
	@chmod -R u=rwX,go=rX $(D)/share/souk

# ---- flags ------------------------------------------------------------------

ifneq ($(filter-out $(DRIVERS),$(or $(MAKECMDGOALS),all)),)

# What this compiler takes of WARN and HARDEN is found out once.
-include $(B)/flags-$(subst /,_,$(firstword $(CC))).mk

$(B)/flags-$(subst /,_,$(firstword $(CC))).mk: mk/flags.sh
	@mkdir -p $(@D)
	@mk/flags.sh '$(CC)' > $@

PKGS   := libpq json-c hiredis libsodium libzip expat zlib libjwt libcrypto libqrencode
PKG_CF := $(shell $(PKGCONFIG) --cflags $(PKGS))
PKG_LD := $(shell $(PKGCONFIG) --libs $(PKGS))
ifeq ($(PKG_LD),)
$(error some of the libraries $(PKGS) are missing: run "make deps")
endif

OPT := -O2 -g
ifneq ($(FUZZ),)
OPT := -O1 -g -DSOUK_NO_FAILSTOP -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined
LD_MODE := -fsanitize=address,undefined
else ifneq ($(SAN),)
OPT := -O1 -g -DSOUK_NO_FAILSTOP -fno-omit-frame-pointer \
	-fsanitize=$(SAN) -fno-sanitize-recover=all
LD_MODE := -fsanitize=$(SAN)
else ifneq ($(COV),)
OPT := -O0 -g --coverage -DSOUK_NO_FAILSTOP
LD_MODE := --coverage
else
OPT += $(FLAGS_HARDEN) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

# The number of the newest migration: what a program expects of its database.
SCHEMA := $(shell ls sql/migrations | sed -n 's/^0*\([1-9][0-9]*\)_.*\.sql$$/\1/p' | sort -n | tail -n 1)

ALL_CF = -std=gnu11 -D_GNU_SOURCE -DSOUK_VERSION='"$(VERSION)"' \
	-DSOUK_SCHEMA=$(or $(SCHEMA),0) -Ilib -I$(B) -fPIE $(OPT) $(FLAGS_WARN) \
	$(if $(DEVELOPER),$(FLAGS_DEVELOPER)) $(PKG_CF) $(CPPFLAGS) $(CFLAGS)
ALL_LD = -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed \
	$(LD_MODE) $(LDFLAGS)
LIBS   := $(PKG_LD) -lfcgi -lcsv -lstemmer -lcurl -lm

# ---- rules ------------------------------------------------------------------

# Everything is rebuilt when the flags change, and what is made from a list of
# files when the list changes.
define track
$(1): FORCE
	@mkdir -p $$(@D); printf '%s\n' '$$(subst ','\'',$(2))' | \
		cmp -s - $$@ || printf '%s\n' '$$(subst ','\'',$(2))' > $$@
endef
$(eval $(call track,$(B)/flags,$$(CC) $$(ALL_CF) $$(ALL_LD)))
$(eval $(call track,$(B)/files,$$(LIB_O) $$(SQL) $$(TOOL) $$(TTOOL) $$(PROMPT) $$(NOTICE) $$(APPS) $$(CGI)))

COMPILE = @mkdir -p $(@D); echo '  CC    $@'; \
	$(CC) $(ALL_CF) -MMD -MP $(DEF) -c -o $@ $<
LINK    = @mkdir -p $(@D); echo '  LINK  $@'; \
	$(CC) $(ALL_LD) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) $(XLIBS)

$(B)/%.o: %.c $(B)/flags | $(G)/sql.h
	$(COMPILE)
$(G)/%.o: $(G)/%.c $(B)/flags | $(G)/sql.h
	$(COMPILE)
# Each program calls its table "routes"; linked together they need names.
$(B)/cgi-bin/%.o: DEF = -Droutes=routes_$(notdir $*)
$(B)/tests/%.o: DEF = -Itests

$(B)/lib/libsouk.a: $(LIB_O) $(B)/files
	@mkdir -p $(@D); rm -f $@; echo '  AR    $@'; ar rcs $@ $(LIB_O)
$(B)/lib/libtools.a: $(G)/tools.o
	@rm -f $@; echo '  AR    $@'; ar rcs $@ $<
$(ROUTES): $(G)/prog_all.o $(CGI_O) $(B)/files
	@mkdir -p $(@D); rm -f $@; echo '  AR    $@'; \
	ar rcs $@ $(filter %.o,$^)

.PHONY: gen
gen: $(G)/sql.h
$(G)/sql.h: tools/embed_sql.awk $(SQL) $(B)/files
	@mkdir -p $(@D)
	@$(AWK) -v header=1 -f tools/embed_sql.awk $(SQL) /dev/null > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(G)/sql.c: tools/embed_sql.awk $(SQL) $(B)/files
	@mkdir -p $(@D)
	@$(AWK) -f tools/embed_sql.awk $(SQL) /dev/null > $@
$(G)/prompts.c: tools/embed_text.awk $(PROMPT) $(B)/files
	@mkdir -p $(@D)
	@$(AWK) -v table=prompt_files -v row=prompt_file -v header=mcp/prompts.h -f tools/embed_text.awk $(PROMPT) > $@
$(G)/templates.c: tools/embed_text.awk $(NOTICE) $(B)/files
	@mkdir -p $(@D)
	@$(AWK) -v table=notify_files -v row=notify_file -v header=notify/catalog.h -f tools/embed_text.awk $(NOTICE) > $@
$(G)/apps.c: tools/embed_app.awk $(APPS) $(B)/files
	@mkdir -p $(@D)
	@$(AWK) -f tools/embed_app.awk $(APP) > $@
# Contracts are checked here, by the same code that checks arguments later.
$(B)/embed: $(B)/tools/embed.o $(B)/lib/libsouk.a $(ROUTES)
	$(LINK)
$(G)/tools.c: $(B)/embed $(TOOL)
	@mkdir -p $(@D)
	@$(B)/embed $(TOOL) > $@
# The contract tests' own tools stand beside the real ones.
$(G)/tools_test.c: $(B)/embed $(TOOL) $(TTOOL)
	@mkdir -p $(@D)
	@$(B)/embed $(TOOL) $(TTOOL) > $@

# A program is its route table, and main() from the library.
programs = { echo '/* generated by the Makefile */'; \
	echo '\#include "web/route.h"'; \
	for p in $(1); do echo "extern const struct route routes_$$p[];"; done; \
	echo 'const struct program programs[] = {'; \
	for p in $(1); do echo "	{\"$$p\", routes_$$p},"; done; \
	echo '	{0}'; echo '};'; }
$(G)/prog_all.c: $(B)/files
	@mkdir -p $(@D); $(call programs,$(CGI)) > $@
$(G)/prog_%.c: Makefile
	@mkdir -p $(@D); $(call programs,$*) > $@

$(CGI:%=$(B)/cgi-bin/%): $(B)/cgi-bin/%: $(G)/prog_%.o $(B)/cgi-bin/%.o \
		$(LIBSOUK)
	$(LINK)
$(B)/souk.fcgi: $(G)/prog_all.o $(CGI_O) $(LIBSOUK)
	$(LINK)
$(B)/souk-test.fcgi: $(G)/prog_all.o $(CGI_O) $(G)/tools_test.o $(LIBSOUK)
	$(LINK)
$(B)/souk-conformance.fcgi: $(G)/prog_all.o $(CGI_O) $(CONF_C:%.c=$(B)/%.o) $(LIBSOUK)
	$(LINK)
$(B)/souk-stdio-conformance: $(B)/bin/souk-stdio.o $(CONF_C:%.c=$(B)/%.o) $(LIBSOUK) $(ROUTES)
	$(LINK)
$(B)/bin/souk: $(CLI_O) $(LIBSOUK) $(ROUTES)
	$(LINK)

$(B)/bin/souk-stdio: $(B)/bin/souk-stdio.o $(LIBSOUK) $(ROUTES)
	$(LINK)
$(B)/bin/souk-ws: XLIBS = -lwebsockets
$(B)/bin/souk-ws: $(WS_C:%.c=$(B)/%.o) $(LIBSOUK) $(ROUTES)
	$(LINK)

$(UNITS): XLIBS = $(shell $(PKGCONFIG) --libs check) -lpthread
$(UNITS): $(B)/tests/unit_%: $(B)/tests/unit/%.o $(LIBSOUK) $(ROUTES)
	$(LINK)
$(REPLAY): $(B)/tests/fuzz_%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o \
		$(LIBSOUK) $(ROUTES)
	$(LINK)

.PHONY: fuzzers
fuzzers: $(FUZZERS)
# Private: the program that reads the contracts has a main() of its own.
$(FUZZERS): private LD_MODE = -fsanitize=fuzzer,address,undefined
$(FUZZERS): $(B)/fuzz/%: $(B)/tests/fuzz/%.o $(LIBSOUK) $(ROUTES)
	$(LINK)

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)

endif
