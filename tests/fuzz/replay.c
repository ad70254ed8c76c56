/*
 * Replays inputs through a fuzz entry without libFuzzer, so that any compiler can run the corpora in `make check`:
 *
 *   fuzz_NAME FILE|DIRECTORY...
 *
 * Prints "N inputs". Ends with 1 when there is nothing to replay; an input that breaks the entry ends the process by itself.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX (64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One file; false when it cannot be read. The copy has exactly the file's size, so that reading past it is seen. */
static int
replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	int ok = f && data && size <= INPUT_MAX && fread(data, 1, size, f) == size;

	if (ok)
		LLVMFuzzerTestOneInput(data, size);
	else
		fprintf(stderr, "%s: cannot read it\n", path);
	if (f)
		fclose(f);
	free(data);
	return ok;
}

/* The number of inputs under path, -1 after an error. */
static long
replay(const char *path)
{
	struct stat st;
	struct dirent *entry;
	char name[4096];
	long n = 0, k;
	DIR *dir;

	if (stat(path, &st) != 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path, (size_t)st.st_size) ? 1 : -1;
	if (!(dir = opendir(path))) {
		perror(path);
		return -1;
	}
	while (n >= 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		k = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		k = k < (long)sizeof name ? replay(name) : -1;
		n = k < 0 ? -1 : n + k;
	}
	closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	long n = 0, k;

	for (int i = 1; i < argc; i++) {
		if ((k = replay(argv[i])) < 0)
			return 1;
		n += k;
	}
	printf("%ld inputs\n", n);
	return n > 0 ? 0 : 1;
}
