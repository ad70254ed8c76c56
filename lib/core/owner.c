#include "core/owner.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/banned.h"

void
owner_as_folder(int fd, const char *path)
{
	char folder[PATH_MAX];
	struct stat st;
	char *slash;

	if (fd < 0 || geteuid() != 0 || snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder))
		return;
	if ((slash = strrchr(folder, '/')) == NULL || slash == folder)
		return;
	*slash = '\0';
	if (stat(folder, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}
