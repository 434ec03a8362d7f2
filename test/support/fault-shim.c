/*
 * Loaded before libc into a process under test (LD_PRELOAD): counts the calls that change files below one
 * folder, and at one of them lets something go wrong. test/support/crash-points.ts is what uses it.
 *
 *   GDO_FAULT_DIR    the folder, as realpath gives it
 *   GDO_FAULT_CALL   at which call, from 1; 0 counts only
 *   GDO_FAULT_KIND   kill    the process dies before the call
 *                    tear    a write gets half its bytes to the file, then the process dies
 *                    power   the process dies, and nothing that was not synced is left
 *                    enospc  a write, or making a file or folder, fails: no space
 *                    short   a write takes only half its bytes
 *                    eio     a sync fails
 *   GDO_FAULT_LOG    a file that gets every counted call and its file's name, and "fault" once it has happened
 *
 *   GDO_FAULT_MADE   a folder that is there already, whose name was never synced
 *
 * For power the files are taken to be append-only: what is left of each is its length at its last sync.
 * Names count from the sync of their folder on; a rename or a removal that was not synced is undone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 1024, CHANGES_MAX = 4096 };

struct tracked_file {
  char path[PATH_MAX];
  off_t synced_bytes;
};

enum change_kind { CREATED, MADE_FOLDER, RENAMED, REMOVED };

struct change {
  enum change_kind kind;
  bool is_durable;
  char path[PATH_MAX];
  char from[PATH_MAX];   /* RENAMED: the name before. */
  char backup[PATH_MAX]; /* RENAMED, REMOVED: what had the name until then; may be empty. */
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct tracked_file files[FILES_MAX];
static int file_count;
static struct change *changes;
static int change_count;
static int call_count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

static bool is_kind(const char *kind) { return strcmp(setting("GDO_FAULT_KIND"), kind) == 0; }

static bool is_below(const char *path) {
  const char *folder = setting("GDO_FAULT_DIR");
  size_t length = strlen(folder);
  return length > 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The path of an open file, if it is one that counts. */
static bool path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return false;
  path[length] = 0;
  return is_below(path);
}

/* An absolute path for a name relative to a folder that may be open. */
static void absolute(int folder, const char *name, char *path) {
  char base[PATH_MAX] = "";
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
    return;
  }
  if (folder == AT_FDCWD) {
    if (getcwd(base, sizeof base) == NULL) abort();
  } else {
    path_of(folder, base);
  }
  if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) abort();
}

static void note(const char *text) {
  int fd = REAL(open)(setting("GDO_FAULT_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  char line[PATH_MAX];
  int length = snprintf(line, sizeof line, "%s\n", text);
  if (REAL(write)(fd, line, (size_t)length) < 0) abort();
  close(fd);
}

static void parent_of(const char *path, char *parent) {
  snprintf(parent, PATH_MAX, "%s", path);
  char *slash = strrchr(parent, '/');
  if (slash != NULL) *slash = 0;
}

static struct tracked_file *track(const char *path) {
  for (int index = 0; index < file_count; index += 1) {
    if (strcmp(files[index].path, path) == 0) return &files[index];
  }
  if (file_count == FILES_MAX) abort();
  struct tracked_file *file = &files[file_count++];
  struct stat status;
  snprintf(file->path, sizeof file->path, "%s", path);
  file->synced_bytes = stat(path, &status) == 0 ? status.st_size : 0;
  return file;
}

static struct change *add_change(enum change_kind kind, const char *path) {
  if (changes == NULL) changes = calloc(CHANGES_MAX, sizeof *changes);
  if (changes == NULL || change_count == CHANGES_MAX) abort();
  struct change *change = &changes[change_count++];
  change->kind = kind;
  snprintf(change->path, sizeof change->path, "%s", path);
  return change;
}

/* What a process before this one made and did not sync. */
__attribute__((constructor)) static void begin(void) {
  if (setting("GDO_FAULT_MADE")[0] != 0) add_change(MADE_FOLDER, setting("GDO_FAULT_MADE"));
}

static void undo(const struct change *change) {
  if (change->kind == MADE_FOLDER) {
    char lost[PATH_MAX];
    snprintf(lost, sizeof lost, "%s-lost", setting("GDO_FAULT_LOG"));
    if (rmdir(change->path) != 0) REAL(rename)(change->path, lost);
  } else if (change->kind == CREATED) {
    REAL(unlink)(change->path);
  } else if (change->kind == REMOVED) {
    if (change->backup[0] != 0) REAL(rename)(change->backup, change->path);
  } else {
    REAL(rename)(change->path, change->from);
    if (change->backup[0] != 0) REAL(rename)(change->backup, change->path);
  }
}

/* Leaves of the files what a disk is sure to have. */
static void lose_power(void) {
  for (int index = 0; index < file_count; index += 1) {
    struct stat status;
    const struct tracked_file *file = &files[index];
    if (stat(file->path, &status) != 0 || status.st_size <= file->synced_bytes) continue;
    if (truncate(file->path, file->synced_bytes) != 0) abort();
  }
  for (int index = change_count - 1; index >= 0; index -= 1) {
    if (!changes[index].is_durable) undo(&changes[index]);
  }
}

static void die(void) {
  note("fault");
  if (is_kind("power")) lose_power();
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts a call; whether it is the one where something is to happen. Dies at once where that is asked. */
static bool is_turn(const char *name, const char *path) {
  char line[256];
  snprintf(line, sizeof line, "%s %.200s", name, strrchr(path, '/') + 1);
  call_count += 1;
  note(line);
  if (call_count != atoi(setting("GDO_FAULT_CALL"))) return false;
  if (is_kind("kill") || is_kind("power")) die();
  return true;
}

static int fail(int code) {
  note("fault");
  errno = code;
  return -1;
}

enum outcome { GO_ON, SHORTEN, TEAR, FULL };

static enum outcome write_turn(int fd, size_t length) {
  char path[PATH_MAX];
  if (!path_of(fd, path)) return GO_ON;
  track(path);
  if (!is_turn("write", path)) return GO_ON;
  if (is_kind("enospc")) return FULL;
  if (is_kind("tear")) return TEAR;
  return is_kind("short") && length > 1 ? SHORTEN : GO_ON;
}

/* One write, of which `whole` or only `half` takes place. Both are expressions. */
#define FAULTY_WRITE(length, whole, half)            \
  pthread_mutex_lock(&lock);                         \
  ssize_t result;                                    \
  enum outcome outcome = write_turn(fd, length);     \
  if (outcome == FULL) {                             \
    result = fail(ENOSPC);                           \
  } else if (outcome == GO_ON) {                     \
    result = (whole);                                \
  } else {                                           \
    result = (half);                                 \
    if (outcome == TEAR) die();                      \
    note("fault");                                   \
  }                                                  \
  int code = errno;                                  \
  pthread_mutex_unlock(&lock);                       \
  errno = code;                                      \
  return result;

ssize_t write(int fd, const void *bytes, size_t length) {
  FAULTY_WRITE(length, REAL(write)(fd, bytes, length), REAL(write)(fd, bytes, length / 2))
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  FAULTY_WRITE(length, REAL(pwrite)(fd, bytes, length, offset), REAL(pwrite)(fd, bytes, length / 2, offset))
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }

/* Of several pieces, half means half of the first. */
static struct iovec half_of(const struct iovec *pieces) {
  return (struct iovec){.iov_base = pieces[0].iov_base, .iov_len = pieces[0].iov_len / 2};
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  struct iovec half = half_of(pieces);
  FAULTY_WRITE(pieces[0].iov_len, REAL(writev)(fd, pieces, count), REAL(writev)(fd, &half, 1))
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
  struct iovec half = half_of(pieces);
  FAULTY_WRITE(pieces[0].iov_len, REAL(pwritev)(fd, pieces, count, offset), REAL(pwritev)(fd, &half, 1, offset))
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset) {
  return pwritev(fd, pieces, count, offset);
}

/* What a sync has made sure of. */
static void mark_synced(int fd, const char *path) {
  struct stat status;
  if (fstat(fd, &status) != 0) abort();
  if (!S_ISDIR(status.st_mode)) {
    track(path)->synced_bytes = status.st_size;
    return;
  }
  for (int index = 0; index < change_count; index += 1) {
    char parent[PATH_MAX];
    parent_of(changes[index].path, parent);
    if (strcmp(parent, path) == 0) changes[index].is_durable = true;
  }
}

static int sync_file(int fd, const char *name, int (*real)(int)) {
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd);
  pthread_mutex_lock(&lock);
  bool is_failing = is_turn(name, path) && is_kind("eio");
  int result = is_failing ? fail(EIO) : real(fd);
  int code = errno;
  if (result == 0) mark_synced(fd, path);
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

int fsync(int fd) { return sync_file(fd, "fsync", REAL(fsync)); }
int fdatasync(int fd) { return sync_file(fd, "fdatasync", REAL(fdatasync)); }

int ftruncate(int fd, off_t length) {
  char path[PATH_MAX];
  if (!path_of(fd, path)) return REAL(ftruncate)(fd, length);
  pthread_mutex_lock(&lock);
  struct tracked_file *file = track(path);
  is_turn("ftruncate", path);
  int result = REAL(ftruncate)(fd, length);
  if (result == 0 && file->synced_bytes > length) file->synced_bytes = length;
  pthread_mutex_unlock(&lock);
  return result;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

/* Counts an opening only where it makes a file. */
static int open_file(int folder, const char *name, int flags, mode_t mode) {
  int (*real)(int, const char *, int, ...) = REAL(openat);
  char path[PATH_MAX];
  struct stat status;
  if ((flags & O_CREAT) == 0) return real(folder, name, flags, mode);
  absolute(folder, name, path);
  if (!is_below(path) || lstat(path, &status) == 0) return real(folder, name, flags, mode);
  pthread_mutex_lock(&lock);
  int result = is_turn("open", path) && is_kind("enospc") ? fail(ENOSPC) : real(folder, name, flags, mode);
  int code = errno;
  if (result >= 0) {
    track(path)->synced_bytes = 0;
    add_change(CREATED, path);
  }
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

#define OPEN_MODE(flags, mode)                  \
  mode_t mode = 0;                              \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list rest;                               \
    va_start(rest, flags);                      \
    mode = va_arg(rest, mode_t);                \
    va_end(rest);                               \
  }

int open(const char *path, int flags, ...) {
  OPEN_MODE(flags, mode)
  return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  OPEN_MODE(flags, mode)
  return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
  OPEN_MODE(flags, mode)
  return open_file(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
  OPEN_MODE(flags, mode)
  return open_file(folder, path, flags, mode);
}

int mkdir(const char *name, mode_t mode) {
  char path[PATH_MAX];
  struct stat status;
  absolute(AT_FDCWD, name, path);
  if (!is_below(path) || lstat(path, &status) == 0) return REAL(mkdir)(name, mode);
  pthread_mutex_lock(&lock);
  int result = is_turn("mkdir", path) && is_kind("enospc") ? fail(ENOSPC) : REAL(mkdir)(name, mode);
  int code = errno;
  if (result == 0) add_change(MADE_FOLDER, path);
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

int rename(const char *old_name, const char *new_name) {
  char from[PATH_MAX];
  char to[PATH_MAX];
  absolute(AT_FDCWD, old_name, from);
  absolute(AT_FDCWD, new_name, to);
  if (!is_below(to)) return REAL(rename)(old_name, new_name);
  pthread_mutex_lock(&lock);
  is_turn("rename", to);
  struct change *change = add_change(RENAMED, to);
  snprintf(change->from, sizeof change->from, "%s", from);
  snprintf(change->backup, 2048, "%s-%d", setting("GDO_FAULT_LOG"), change_count);
  if (link(to, change->backup) != 0) change->backup[0] = 0;
  off_t synced_bytes = track(from)->synced_bytes;
  int result = REAL(rename)(old_name, new_name);
  int code = errno;
  track(to)->synced_bytes = synced_bytes;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

int unlink(const char *name) {
  char path[PATH_MAX];
  absolute(AT_FDCWD, name, path);
  if (!is_below(path)) return REAL(unlink)(name);
  pthread_mutex_lock(&lock);
  is_turn("unlink", path);
  struct change *change = add_change(REMOVED, path);
  snprintf(change->backup, 2048, "%s-%d", setting("GDO_FAULT_LOG"), change_count);
  if (link(path, change->backup) != 0) change->backup[0] = 0;
  int result = REAL(unlink)(name);
  int code = errno;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}
