/* Replays a fuzz corpus without libFuzzer, so that every build keeps what fuzzing has found: gives
 * each file of the folders named on the command line to the target. Fails when there was nothing to
 * replay. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes are in a block of exactly their size: one read past the end is seen by AddressSanitizer
 * and valgrind. */
static int replay_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size);
    int rc = -1;
    if (f != NULL && (data != NULL || size == 0) && fread(data, 1, size, f) == size) {
        rc = 0;
        LLVMFuzzerTestOneInput(data, size);
    } else {
        perror(path);
    }
    free(data);
    if (f != NULL)
        fclose(f);
    return rc;
}

/* The number of files replayed, or -1. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        perror(folder);
        return -1;
    }
    int n = 0;
    for (struct dirent *e = readdir(dir); e != NULL && n >= 0; e = readdir(dir)) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        n = replay_file(path, (size_t)st.st_size) == 0 ? n + 1 : -1;
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = replay_folder(argv[i]);
        if (n < 0)
            return 1;
        total += n;
    }
    printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}
