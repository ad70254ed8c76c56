/* souk search-run: the answers of the search engine to a file of queries, for measuring. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "search/engine.h"
#include "search/indexer.h"
#include "search/suggest.h"
#include "search/understand_shop.h"

#define LINE 4096
#define TIMES_MAX 100000

struct run {
	struct cli *cli;
	struct engine_view view;
	struct engine_query q;
	struct arena arena;
	int64_t top, repeat;
	bool plain, suggest;
	double *us, *cpu;
	size_t n, max;
};

static bool
number_of(json_object *o, const char *key, double *out)
{
	return json_get_double(o, key, 0, 1e12, out) == JSON_OK;
}

/* The filters of search_products as one JSON object. */
static bool
take_filter(struct run *r, const char *text)
{
	struct engine_filter *f = &r->q.filter;
	json_object *o;
	const char *sort = NULL;
	size_t n;

	f->min_price = f->max_price = NAN;
	if (text == NULL)
		return true;
	if (json_parse(&r->cli->c, text, strlen(text), &o) != E_OK || !json_object_is_type(o, json_type_object))
		return false;
	(void)json_get_string(o, "category", 1, 500, &f->category, &n);
	(void)json_get_string(o, "brand", 1, 500, &f->brand, &n);
	(void)json_get_string(o, "colour", 1, 500, &f->colour, &n);
	(void)json_get_string(o, "sortBy", 1, 500, &sort, &n);
	(void)json_get_bool(o, "featured", &f->featured);
	(void)json_get_bool(o, "inStock", &f->in_stock);
	(void)number_of(o, "minPrice", &f->min_price);
	(void)number_of(o, "maxPrice", &f->max_price);
	(void)number_of(o, "minRating", &f->min_rating);
	return search_sort_parse(sort, &r->q.sort);
}

/* Of this process: what a busy machine does not blur. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* What a search box asks for while somebody types. */
static void
complete(struct run *r, struct ctx *c, const char *text, struct engine_result *out, struct understood *u)
{
	struct suggestions s;
	struct engine_query q = r->q;

	suggest(c, &r->view, text, NULL, &s);
	q.text = s.text;
	q.limit = 5;
	understand_search(c, &r->view, &q, out, u);
}

static void
answer(struct run *r, const char *id, const char *text)
{
	struct ctx c = r->cli->c;
	struct engine_result *out;
	struct understood u = { .n = 0 };

	c.a = &r->arena;
	r->q.text = text;
	r->q.limit = (size_t)r->top;
	for (int64_t k = 0; k < r->repeat; k++) {
		int64_t began = now_us(), spent = cpu_us();

		arena_reset(&r->arena);
		out = arena_alloc(&r->arena, sizeof(*out));
		if (r->suggest)
			complete(r, &c, text, out, &u);
		else if (r->plain)
			engine_search(&c, &r->view, &r->q, out);
		else
			understand_search(&c, &r->view, &r->q, out, &u);
		if (r->n < r->max) {
			r->cpu[r->n] = (double)(cpu_us() - spent);
			r->us[r->n++] = (double)(now_us() - began);
		}
		for (size_t i = 0; k == 0 && i < out->n; i++) {
			size_t n;
			const char *sku = seg_sku(r->view.part[out->hit[i].part].seg, out->hit[i].doc, &n);

			printf("%s\t%.*s\n", id, (int)n, sku);
		}
		if (k == 0 && out->words.corrected != NULL && cli_value(r->cli, "verbose") != NULL)
			fprintf(stderr, "%s\t%s\t%s\n", id, text, out->words.corrected);
		for (unsigned i = 0; k == 0 && i < u.n && cli_value(r->cli, "verbose") != NULL; i++)
			fprintf(stderr, "%s\t%s\t%s%s=%s\n", id, text, u.item[i].applied ? "" : "not applied: ", understand_filter(u.item[i].kind),
			    u.item[i].value);
	}
}

static int
compare_times(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_times(struct run *r)
{
	if (r->n == 0)
		return;
	qsort(r->us, r->n, sizeof(*r->us), compare_times);
	qsort(r->cpu, r->n, sizeof(*r->cpu), compare_times);
	fprintf(stderr, "%zu searches: median %.3f ms, 95 %% below %.3f ms, longest %.3f ms; CPU time %.3f, %.3f, %.3f ms\n", r->n,
	    r->us[r->n / 2] / 1e3, r->us[r->n * 95 / 100] / 1e3, r->us[r->n - 1] / 1e3, r->cpu[r->n / 2] / 1e3, r->cpu[r->n * 95 / 100] / 1e3,
	    r->cpu[r->n - 1] / 1e3);
}

/* Lines of id, tab, text; a header whose second column is "query" is left out. */
static void
answer_all(struct run *r, FILE *f)
{
	char line[LINE];

	for (bool first = true; fgets(line, sizeof(line), f) != NULL; first = false) {
		char *text = strchr(line, '\t'), *end;

		line[strcspn(line, "\r\n")] = '\0';
		if (text == NULL || (first && strcmp(text, "\tquery") == 0))
			continue;
		*text++ = '\0';
		if ((end = strchr(text, '\t')) != NULL)
			*end = '\0';
		answer(r, line, text);
	}
}

int
cmd_search_run(struct cli *cli)
{
	struct run r = { .cli = cli, .top = 100, .repeat = 1, .max = TIMES_MAX };
	const char *queries = cli_value(cli, "queries"), *path = cli_value(cli, "file"), *why;
	struct seg_file file;
	struct seg *s;
	FILE *f;

	if (queries == NULL)
		return cli_fail(cli, CLI_USAGE, "--queries=FILE is missing");
	if (!cli_number(cli, "top", 1, 10000, &r.top) || !cli_number(cli, "repeat", 1, 10000, &r.repeat))
		return CLI_USAGE;
	if (!take_filter(&r, cli_value(cli, "filter")))
		return cli_fail(cli, CLI_USAGE, "--filter: the filters of search_products as a JSON object are expected");
	r.plain = cli_value(cli, "plain") != NULL;
	r.q.exhaustive = cli_value(cli, "exhaustive") != NULL;
	r.q.facets = cli_value(cli, "facets") != NULL;
	r.suggest = cli_value(cli, "suggest") != NULL;
	if ((s = seg_open(path != NULL ? path : indexer_path(), false, &file, &why)) == NULL)
		return cli_fail(cli, CLI_UNUSABLE, "%s: %s; build it with souk index", path != NULL ? path : indexer_path(), why);
	if ((f = fopen(queries, "r")) == NULL) {
		seg_close(s);
		return cli_fail(cli, CLI_UNUSABLE, "%s: %s", queries, strerror(errno));
	}
	r.view = (struct engine_view){ .part = { { .seg = s } }, .n = 1 };
	r.us = malloc(TIMES_MAX * sizeof(*r.us));
	r.cpu = malloc(TIMES_MAX * sizeof(*r.cpu));
	r.max = r.us != NULL && r.cpu != NULL ? TIMES_MAX : 0;
	arena_init(&r.arena, (size_t)256 << 20);
	answer_all(&r, f);
	if (cli_value(cli, "times") != NULL)
		print_times(&r);
	arena_release(&r.arena);
	free(r.us);
	free(r.cpu);
	fclose(f);
	seg_close(s);
	return CLI_OK;
}
