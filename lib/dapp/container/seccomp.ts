/**
 * The system calls that a dapp's container may make [D1]. An allow-list: what is not named fails with
 * EPERM. It is what Node.js, a shell, Python and C programs need to compute, to read and write files and
 * to start processes of their own. Pure. Explained in docs/design/dapps.md.
 */

/** Open files, read, write, look around. Devices and mounts are kept away by the root file system. */
const FILES = `access chdir chmod close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
  fadvise64 fadvise64_64 arm_fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fcntl fcntl64 fdatasync flock
  fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 getcwd getdents getdents64 link linkat lseek
  _llseek lstat lstat64 mkdir mkdirat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2
  read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64
  statfs statfs64 statx symlink symlinkat sync_file_range tee truncate truncate64 umask unlink unlinkat utime
  utimensat utimensat_time64 utimes futimesat vmsplice write writev`;

/** Own memory only: no memfd, no other process's pages, no userfaultfd. */
const MEMORY = `brk madvise membarrier mincore mlock mlock2 mmap mmap2 mprotect mremap msync munlock munmap
  pkey_alloc pkey_free pkey_mprotect`;

/** Threads and processes; their number is bounded by the pids limit. `clone` stands apart below. */
const PROCESSES = `arch_prctl capget execve execveat exit exit_group fork futex futex_time64 futex_waitv
  get_robust_list getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid kill prlimit64 rseq
  sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min sched_yield
  set_robust_list set_thread_area get_thread_area set_tid_address setpgid setrlimit setsid tgkill tkill ugetrlimit
  vfork wait4 waitid waitpid set_tls cacheflush breakpoint`;

/** Who am I. Changing it is denied. */
const IDENTITY = `getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32
  getresuid getresuid32 getuid getuid32 sysinfo times uname getcpu`;

/** Signals, timers, clocks (read only). */
const EVENTS = `alarm clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
  getitimer gettimeofday inotify_add_watch inotify_init inotify_init1 inotify_rm_watch nanosleep _newselect pause
  pidfd_open pidfd_send_signal pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 restart_syscall
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 select setitimer sigaltstack signalfd signalfd4 sigreturn time timer_create timer_delete
  timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime`;

/** The standard streams may be sockets made by the host: asking about one and closing one side is harmless. */
const GIVEN_STREAMS = "getpeername getsockname getsockopt shutdown";

const RANDOM = "getrandom";

/** CLONE_NEW*: namespace flags in the first argument of `clone`. */
const CLONE_NEW_NAMESPACES = 0x7e020000;
/** FIONCLEX, FIOCLEX, FIONBIO, FIONREAD, TCGETS ("is it a terminal?"), TIOCGWINSZ. */
const IOCTLS = [0x5450, 0x5451, 0x5421, 0x541b, 0x5401, 0x5413];
/** PR_SET_NAME, PR_GET_NAME, and the naming of anonymous memory. */
const PRCTLS = [15, 16, 0x53564d41];
const EPERM = 1;
const ENOSYS = 38;

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
  arm: "SCMP_ARCH_ARM",
};

const ALLOW = "SCMP_ACT_ALLOW";

function oneOf(name: string, values: readonly number[]): object[] {
  return values.map((value) => ({ names: [name], action: ALLOW, args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] }));
}

/** `ioctl` names its request in the second argument. */
const ioctlRules = oneOf("ioctl", IOCTLS).map((rule) => ({
  ...rule,
  args: (rule as { args: object[] }).args.map((arg) => ({ ...arg, index: 1 })),
}));

/** The `linux.seccomp` of a bundle for one of Node's architecture names; undefined for one not listed. */
export function seccompFor(arch: string): object | undefined {
  const architecture = Object.hasOwn(ARCHITECTURES, arch) ? ARCHITECTURES[arch] : undefined;
  if (architecture === undefined) return undefined;
  const names = [FILES, MEMORY, PROCESSES, IDENTITY, EVENTS, GIVEN_STREAMS, RANDOM].join(" ").split(/\s+/);
  const noNewNamespace = { index: 0, value: CLONE_NEW_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" };
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    // One architecture only: the same number means another call in 32-bit and x32 mode.
    architectures: [architecture],
    syscalls: [
      { names, action: ALLOW },
      { names: ["clone"], action: ALLOW, args: [noNewNamespace] },
      // Its flags are behind a pointer, which a filter cannot read; libraries then fall back to clone.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
      ...ioctlRules,
      ...oneOf("prctl", PRCTLS),
    ],
  };
}
