/*
 * Give up, for good, what a parser of untrusted files never needs: opening files, starting programs, sockets, other processes.
 * Open descriptors, memory and exit stay.  A deny list (seccomp BPF), because allow lists break when libc changes.
 */
#ifndef SOUK_SHOP_CONFINE_H
#define SOUK_SHOP_CONFINE_H

#include <stdbool.h>

/* false where the kernel has no seccomp; the limits of the process still hold then. */
bool confine_to_open_files(void);

#endif
