/* What this host has left, from /proc and statvfs; no process is started and nothing is written. */
#ifndef SOUK_OPS_HOST_H
#define SOUK_OPS_HOST_H

#include <stdint.h>

/* Per cent in use, 0..100; -1 when the host does not tell. */
int host_memory_percent(void);
int host_disk_percent(const char *path);	/* of the file system that holds path */

/*
 * Per cent of all processors' time in use since the previous look of this process, if that is at least 500 ms old and at most a minute;
 * otherwise over the next 50 ms.
 */
int host_cpu_percent(void);

/* Seconds since the process that started us (web server or parent of the workers) began; -1 when unknown. */
int64_t host_service_uptime_s(void);

/* Resident memory of this process in bytes, 0 when unknown. */
int64_t host_resident_bytes(void);

#endif
