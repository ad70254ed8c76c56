/* Internet addresses in lists of addresses and networks ("127.0.0.1, 10.0.0.0/8, 2001:db8::/32"). */
#ifndef SOUK_CORE_IP_H
#define SOUK_CORE_IP_H

#include <stdbool.h>
#include <stddef.h>

#define IP_TEXT 64

/* Is addr (IPv4, IPv6 or IPv4-mapped IPv6 text) inside one of the comma or space separated entries?  Malformed entries never match. */
bool ip_in_list(const char *addr, const char *list);

/* Is every entry of the list well formed?  An empty list is. */
bool ip_list_valid(const char *list);

/* Is it a loopback address (127/8, ::1, or IPv4-mapped)? */
bool ip_is_loopback(const char *addr);

/* Is it an address of the public internet?  False for loopback, private, link-local, shared, documentation, multicast and reserved addresses,
   for IPv4 in any IPv6 form, for tunnels, and for what is no address. */
bool ip_is_public(const char *addr);

/* The unit that limits count: an IPv4 address as it is, an IPv6 address as its /64 ("2001:db8:1:2::/64"), since one subscriber holds that many.
   Anything else gives "unknown".  Returns out (IP_TEXT bytes). */
char *ip_limit_unit(const char *addr, char out[IP_TEXT]);

#endif
