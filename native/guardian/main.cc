// gdo-guardian: makes a door's lines safe when its door process dies [A4].
//
// The door process starts it with a pipe on standard input and never writes to it. When the pipe
// ends, whatever the cause, the door process is gone and the lines are made safe. Signals are
// ignored, so that a Ctrl-C or a `kill` of the whole process group leaves the guardian to its work.
// An input that cannot be read counts as ended [N6]. Nothing is allocated: a machine that is out of
// memory must still lock its doors.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iterator>
#include <string_view>

namespace {

constexpr int kStatusDone = 0;
constexpr int kStatusFailed = 1;
constexpr int kStatusUsage = 2;

constexpr int64_t kRetryForMs = 2'000;
constexpr int kRetryEveryMs = 10;
constexpr std::string_view kSafeMessage = "{\"type\":\"safe\"}\n";

// A fault in this program must still end it; all else that can be ignored is.
constexpr int kFaultSignals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};

void IgnoreSignals() {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    const bool is_fault = std::find(std::begin(kFaultSignals), std::end(kFaultSignals), signal) !=
                          std::end(kFaultSignals);
    // SIGKILL, SIGSTOP and the C library's own refuse; nothing can be done about them.
    if (!is_fault) (void)std::signal(signal, SIG_IGN);
  }
}

int64_t MonotonicMs() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000 + now.tv_nsec / 1'000'000;
}

// Returns when standard input has ended. An input that cannot be read counts as ended: in doubt,
// the door locks.
void WaitForEndOfInput() {
  for (;;) {
    char ignored[256];
    const ssize_t size = read(STDIN_FILENO, ignored, sizeof ignored);
    if (size > 0 || (size < 0 && errno == EINTR)) continue;
    if (size == 0 || errno != EAGAIN) return;
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    poll(&input, 1, -1);
  }
}

// A connected socket, or -1 with errno set. Never blocks.
int Connect(const sockaddr_un& address) {
  const int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_fd < 0) return -1;
  // What connect() takes for every family of addresses.
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (connect(socket_fd, generic, sizeof address) == 0) return socket_fd;
  const int cause = errno;
  close(socket_fd);
  errno = cause;
  return -1;
}

// A fresh socket has room for so short a message: anything but all of it is a failure.
bool SendSafeOnce(const sockaddr_un& address) {
  const int socket_fd = Connect(address);
  if (socket_fd < 0) return false;
  const ssize_t sent = send(socket_fd, kSafeMessage.data(), kSafeMessage.size(), MSG_NOSIGNAL);
  const int cause = errno;
  close(socket_fd);
  errno = cause;
  return sent == static_cast<ssize_t>(kSafeMessage.size());
}

bool SendSafe(const sockaddr_un& address) {
  const int64_t deadline_ms = MonotonicMs() + kRetryForMs;
  for (;;) {
    if (SendSafeOnce(address)) return true;
    if (MonotonicMs() >= deadline_ms) return false;
    poll(nullptr, 0, kRetryEveryMs);
  }
}

int GuardUnix(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const size_t length = std::strlen(path);
  if (length == 0 || length >= sizeof address.sun_path) {
    std::fprintf(stderr, "gdo-guardian: a socket path has 1 to %zu bytes: %s\n",
                 sizeof address.sun_path - 1, path);
    return kStatusUsage;
  }
  std::memcpy(address.sun_path, path, length);
  WaitForEndOfInput();
  if (SendSafe(address)) return kStatusDone;
  std::fprintf(stderr, "gdo-guardian: lines not made safe: %s: %s\n", path, strerrordesc_np(errno));
  return kStatusFailed;
}

}  // namespace

int main(int argc, char** argv) {
  IgnoreSignals();
  if (argc == 3 && std::string_view(argv[1]) == "--unix") return GuardUnix(argv[2]);
  std::fputs("usage: gdo-guardian --unix PATH    (standard input: a pipe from the door process)\n",
             stderr);
  return kStatusUsage;
}
