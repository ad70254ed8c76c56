#include "core/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All addresses are compared as IPv6; IPv4 in its mapped form ::ffff:a.b.c.d. */
static bool
parse(const char *s, struct in6_addr *out, bool *is_v4)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, s, &v4) == 1) {
		memset(out, 0, sizeof *out);
		out->s6_addr[10] = out->s6_addr[11] = 0xff;
		memcpy(&out->s6_addr[12], &v4, 4);
		*is_v4 = true;
		return true;
	}
	if (inet_pton(AF_INET6, s, out) != 1)
		return false;
	*is_v4 = IN6_IS_ADDR_V4MAPPED(out);
	return true;
}

/* Copy the next entry of the list into out; NULL at the end of the list. */
static const char *
next_entry(const char *list, char *out, size_t outsz)
{
	size_t n;

	list += strspn(list, ", \t");
	if (!*list)
		return NULL;
	n = strcspn(list, ", \t");
	if (n < outsz) {
		memcpy(out, list, n);
		out[n] = '\0';
	} else
		out[0] = '\0';	/* too long to be an address: never matches */
	return list + n;
}

/* "10.0.0.0/8" into address and prefix length counted in the IPv6 form. */
static bool
parse_network(char *entry, struct in6_addr *net, unsigned *bits)
{
	char *slash = strchr(entry, '/'), *end;
	unsigned long n;
	bool v4;

	if (slash)
		*slash = '\0';
	if (!parse(entry, net, &v4))
		return false;
	*bits = 128;
	if (!slash)
		return true;
	n = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end || n > (strchr(entry, ':') ? 128 : 32))
		return false;
	*bits = (unsigned)n + (strchr(entry, ':') ? 0 : 96);
	return true;
}

static bool
prefix_equal(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a->s6_addr, b->s6_addr, bytes) != 0)
		return false;
	return rest == 0 || (a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest) == 0;
}

bool
ip_in_list(const char *addr, const char *list)
{
	struct in6_addr a, net;
	char entry[IP_TEXT];
	unsigned bits;
	bool v4;

	if (!addr || !list || !parse(addr, &a, &v4))
		return false;
	while ((list = next_entry(list, entry, sizeof entry)))
		if (parse_network(entry, &net, &bits) && prefix_equal(&a, &net, bits))
			return true;
	return false;
}

bool
ip_list_valid(const char *list)
{
	struct in6_addr net;
	char entry[IP_TEXT];
	unsigned bits;

	while ((list = next_entry(list, entry, sizeof entry)))
		if (!parse_network(entry, &net, &bits))
			return false;
	return true;
}

bool
ip_is_loopback(const char *addr)
{
	return ip_in_list(addr, "127.0.0.0/8 ::1");
}

bool
ip_is_public(const char *addr)
{
	/* IANA's registries of special-purpose addresses. */
	static const char inside4[] = "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
		"192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4";
	static const char inside6[] = "2001::/23 2001:db8::/32 2002::/16 3fff::/20";
	struct in6_addr a;
	bool v4;

	if (!parse(addr, &a, &v4))
		return false;
	if (strchr(addr, ':') == NULL)
		return !ip_in_list(addr, inside4);
	return ip_in_list(addr, "2000::/3") && !ip_in_list(addr, inside6);
}

char *
ip_limit_unit(const char *addr, char out[IP_TEXT])
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;
	bool v4 = false;

	if (!addr || !parse(addr, &a, &v4)) {
		snprintf(out, IP_TEXT, "unknown");
		return out;
	}
	if (v4) {
		inet_ntop(AF_INET, &a.s6_addr[12], text, sizeof text);
		snprintf(out, IP_TEXT, "%s", text);
		return out;
	}
	memset(&a.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &a, text, sizeof text);
	snprintf(out, IP_TEXT, "%s/64", text);
	return out;
}
