// gdo-clock.so, preloaded into the second run of a dapp: its wall clock is 403 days, 5 hours,
// 7 minutes and 11 seconds slow, another year, month, day of the week, hour and minute. A dapp
// whose answer hangs on the wall clock then gives two answers, and is found [D3] [L13]. The clocks
// since boot are moved by gdo-stage; of wall time the kernel has only one.
//
// Slow and not fast: a program that waits until a moment by the wall clock then waits too short,
// not for a year. Needs no library, so it goes with whatever C library an image has; a program
// without a dynamic loader is not changed.
#include <sys/syscall.h>
#include <sys/time.h>

#include <ctime>

namespace {

constexpr time_t kSlowSeconds = ((403 * 24 + 5) * 60 + 7) * 60 + 11;

#if defined(__x86_64__)
long Call(long number, long first, void* second) {
  long result = number;
  asm volatile("syscall" : "+a"(result) : "D"(first), "S"(second) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
long Call(long number, long first, void* second) {
  register long call asm("x8") = number;
  register long result asm("x0") = first;
  register void* argument asm("x1") = second;
  asm volatile("svc 0" : "+r"(result) : "r"(call), "r"(argument) : "memory");
  return result;
}
#elif defined(__arm__)
long Call(long number, long first, void* second) {
  register long call asm("r7") = number;
  register long result asm("r0") = first;
  register void* argument asm("r1") = second;
  asm volatile("svc 0" : "+r"(result) : "r"(call), "r"(argument) : "memory");
  return result;
}
#endif

bool IsWall(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

}  // namespace

// The C library's functions, under names of our own: its headers declare them otherwise spelt.
extern "C" {
int GetTime(clockid_t clock, timespec* now) asm("clock_gettime");
int GetTimeOfDay(timeval* now, void* zone) asm("gettimeofday");
time_t GetSeconds(time_t* copy) asm("time");
}

int GetTime(clockid_t clock, timespec* now) {
  if (Call(SYS_clock_gettime, clock, now) != 0) return -1;
  if (IsWall(clock)) now->tv_sec -= kSlowSeconds;
  return 0;
}

int GetTimeOfDay(timeval* now, void* /*zone*/) {
  timespec precise = {};
  if (GetTime(CLOCK_REALTIME, &precise) != 0) return -1;
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1'000;
  return 0;
}

time_t GetSeconds(time_t* copy) {
  timespec precise = {};
  (void)GetTime(CLOCK_REALTIME, &precise);
  if (copy != nullptr) *copy = precise.tv_sec;
  return precise.tv_sec;
}
