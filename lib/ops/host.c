#include "ops/host.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define CPU_FRESH_MS 500	/* a shorter span says little */
#define CPU_STALE_MS 60000	/* a longer one says nothing about now */

/* Read a small file of /proc; returns its length, 0 when it cannot be read. */
static size_t
slurp(const char *path, char *buf, size_t sz)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, buf, sz - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* The number behind "Name:" in /proc/meminfo, kB; -1 when it is not there. */
static int64_t
meminfo(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p ? strtoll(p + strlen(name), NULL, 10) : -1;
}

static int
percent(double used, double all)
{
	return all > 0 ? (int)(100 * used / all + 0.5) : -1;
}

int
host_memory_percent(void)
{
	char text[4096];
	int64_t total, left;

	if (!slurp("/proc/meminfo", text, sizeof text))
		return -1;
	total = meminfo(text, "MemTotal:");
	left = meminfo(text, "MemAvailable:");
	return total > 0 && left >= 0 ? percent((double)(total - left), (double)total) : -1;
}

int
host_disk_percent(const char *path)
{
	struct statvfs s;

	if (statvfs(path, &s) < 0 || s.f_blocks == 0)
		return -1;
	/* as df does: of what ordinary users can have */
	return percent((double)(s.f_blocks - s.f_bfree), (double)(s.f_blocks - s.f_bfree + s.f_bavail));
}

struct cpu_sample {
	uint64_t busy, all;
	int64_t at_ms;
};

static int
cpu_sample(struct cpu_sample *s)
{
	uint64_t v[8] = { 0 };
	char text[512];

	if (!slurp("/proc/stat", text, sizeof text))
		return 0;
	if (sscanf(text, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
	    &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) < 5)
		return 0;
	s->all = 0;
	for (int i = 0; i < 8; i++)
		s->all += v[i];
	s->busy = s->all - v[3] - v[4];	/* idle and waiting for disks */
	s->at_ms = now_ms();
	return 1;
}

int
host_cpu_percent(void)
{
	static const struct timespec pause = { 0, 50 * 1000 * 1000 };
	static struct cpu_sample last;
	struct cpu_sample now;
	int64_t age;
	int result;

	if (!cpu_sample(&now))
		return -1;
	age = now.at_ms - last.at_ms;
	if (last.at_ms == 0 || age < CPU_FRESH_MS || age > CPU_STALE_MS) {
		last = now;
		nanosleep(&pause, NULL);
		if (!cpu_sample(&now))
			return -1;
	}
	result = percent((double)(now.busy - last.busy), (double)(now.all - last.all));
	last = now;
	return result;
}

int64_t
host_service_uptime_s(void)
{
	char path[64], text[1024];
	const char *p;
	uint64_t start = 0;
	double up;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)getppid());
	if (!slurp(path, text, sizeof text) || (p = strrchr(text, ')')) == NULL)
		return -1;
	for (int field = 2; field < 22 && p; field++)	/* field 22: start time in clock ticks after boot */
		p = strchr(p + 1, ' ');
	if (!p)
		return -1;
	start = strtoull(p + 1, NULL, 10);
	if (!slurp("/proc/uptime", text, sizeof text))
		return -1;
	up = strtod(text, NULL) - (double)start / (double)sysconf(_SC_CLK_TCK);
	return up > 0 ? (int64_t)up : 0;
}

int64_t
host_resident_bytes(void)
{
	char text[256];
	const char *p;

	if (!slurp("/proc/self/statm", text, sizeof text) || (p = strchr(text, ' ')) == NULL)
		return 0;
	return strtoll(p + 1, NULL, 10) * sysconf(_SC_PAGESIZE);
}
