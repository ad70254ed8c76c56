/* Subscriptions of lasting connections: one worker tells all changes, and the holder tells them on. */
#include <stdlib.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "mcp/channel_internal.h"
#include "mcp/listen.h"
#include "mcp/rpc.h"

#define AGAIN_MS 2000	/* until a watcher that has died is replaced */

struct subscription {
	struct subscription *next;
	json_object *o;		/* see listen.h */
};

struct way_back {
	struct mcp_stream stream;	/* first member */
	struct channel *ch;
};

static bool
way_back_send(struct mcp_stream *s, const char *json, size_t n)
{
	struct channel *ch = ((struct way_back *)s)->ch;

	return ch->send(ch, json, n);
}

void
watch_begin(void)
{
	const struct crew_job job = { .task = CREW_WATCH };

	all_channels.wanted = true;
	if (all_channels.watcher == NULL && now_ms() >= all_channels.again_ms) {
		all_channels.again_ms = now_ms() + AGAIN_MS;
		all_channels.watcher = crew_give(&job, &all_channels);
		if (all_channels.watcher != NULL)
			crew_outside(all_channels.watcher, true);	/* it answers nobody, so it does not count */
	}
}

void
watch_add(struct channel *ch, const char *text, size_t n)
{
	struct ctx c = { .a = &all_channels.scratch, .deadline_ms = INT64_MAX };
	struct subscription *s;
	json_object *o, *id;

	if (json_parse(&c, text, n, &o) != E_OK || !json_object_object_get_ex(o, "id", &id))
		return;
	if (ch->nsubscriptions >= CHANNEL_SUBSCRIPTIONS) {
		channel_send_error(ch, id, RPC_INTERNAL, "too many subscriptions are open on this connection");
		return;
	}
	s = calloc(1, sizeof(*s));
	s->o = json_object_get(o);
	s->next = ch->subscriptions;
	ch->subscriptions = s;
	ch->nsubscriptions++;
	arena_reset(&all_channels.scratch);
	watch_begin();
}

bool
watch_remove(struct channel *ch, json_object *id)
{
	for (struct subscription **p = &ch->subscriptions; *p != NULL; p = &(*p)->next) {
		struct subscription *s = *p;
		json_object *own = NULL;

		(void)json_object_object_get_ex(s->o, "id", &own);
		if (id != NULL && !ids_equal(own, id))
			continue;
		*p = s->next;
		ch->nsubscriptions--;
		json_object_put(s->o);
		free(s);
		return true;
	}
	return false;
}

static void
tell_channel(struct channel *ch, const char *change)
{
	struct way_back w = { .stream = { .send = way_back_send }, .ch = ch };
	struct ctx c = { .a = &all_channels.scratch, .deadline_ms = INT64_MAX };
	struct mcp_watch watch = { .tools = true, .prompts = true, .resources = true };
	bool ok = true;

	if (ch->session != NULL) {
		(void)json_object_object_get_ex(ch->session, "uris", &watch.uris);
		ok = mcp_tell_change(&c, &w.stream, &watch, change);
	}
	for (const struct subscription *s = ch->subscriptions; ok && s != NULL; s = s->next) {
		mcp_watch_read(s->o, &watch);
		ok = mcp_tell_change(&c, &w.stream, &watch, change);
	}
	arena_reset(&all_channels.scratch);
}

/* Is the token of an idle connection still good?  A revocation ends it. */
static void
check_token(struct channel *ch)
{
	struct flight *f;

	if (ch->token[0] == '\0')
		return;
	f = calloc(1, sizeof(*f) + 1);
	f->channel = ch;
	f->checks = true;
	channel_wait(ch, f);
}

void
watch_tell(const char *change)
{
	struct channel *next;

	for (struct channel *ch = all_channels.first; ch != NULL; ch = next) {
		next = ch->next;	/* sending may close it */
		if (strcmp(change, "tokens") != 0) {
			tell_channel(ch, change);
		} else if (ch->token[0] != '\0') {
			check_token(ch);
			tell_channel(ch, "tools");	/* another scope, other tools */
		}
	}
	channels_begin();
}

void
watch_ended(void)
{
	all_channels.watcher = NULL;
}

bool
watch_has(const struct channel *ch, json_object *id)
{
	for (const struct subscription *s = ch->subscriptions; s != NULL; s = s->next) {
		json_object *own = NULL;

		if (json_object_object_get_ex(s->o, "id", &own) && ids_equal(own, id))
			return true;
	}
	return false;
}
