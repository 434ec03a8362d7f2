// gdo-stage: what has to be done with a kernel between the agent and a container tool, in one short
// process instead of a shell and its helpers. Rules: docs/design/dapps.md [D1] [D3].
//
//   gdo-stage run IMAGE MOUNTPOINT UPTIME_SECONDS PROGRAM [ARGUMENT...]
//     Becomes PROGRAM in a mount namespace of its own in which IMAGE is bound to MOUNTPOINT, and,
//     where the seconds are not 0, in a time namespace whose clocks since boot are that much ahead.
//     Both end with the last process in them: nothing to clean up, however the agent ends.
//   gdo-stage skip-pids COUNT
//     A hook of the container tool: reads the container's state from standard input and lets the
//     next process in its pid namespace have a number above COUNT.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace {

constexpr int kStatusFailed = 125;
constexpr int kStatusUsage = 2;
constexpr int kRunArguments = 6;
constexpr int kSkipArguments = 3;

// clone(2) has it since Linux 5.6; not every C library does.
constexpr int kCloneNewTime = 0x80;

int Fail(const char* what, const char* subject) {
  std::fprintf(stderr, "gdo-stage: cannot %s %s: %s\n", what, subject, strerrordesc_np(errno));
  return kStatusFailed;
}

template <typename Integer>
std::optional<Integer> ParseDigits(std::string_view text) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

bool WriteFile(const char* path, std::string_view text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool is_whole = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(file);
  return is_whole;
}

// For children alone: this process goes on with the machine's clocks.
bool MoveUptime(int64_t seconds) {
  if (unshare(kCloneNewTime) != 0) return false;
  const std::string shift = std::to_string(seconds) + " 0\n";
  return WriteFile("/proc/self/timens_offsets", "monotonic " + shift + "boottime " + shift);
}

int Run(const char* image, const char* mountpoint, int64_t uptime_seconds, char** command) {
  if (unshare(CLONE_NEWNS) != 0) return Fail("leave", "the mount namespace");
  // Else the machine's own table would show the mount.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return Fail("detach", "/");
  if (mount(image, mountpoint, nullptr, MS_BIND, nullptr) != 0) return Fail("bind", image);
  if (uptime_seconds != 0 && !MoveUptime(uptime_seconds)) return Fail("move", "the clocks");
  execvp(command[0], command);
  return Fail("run", command[0]);
}

// The process id in the state that the tool hands to its hooks: {..., "pid": 123, ...}.
std::optional<int> PidOfState() {
  std::string state(64UL * 1024, '\0');
  size_t size = 0;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, state.data() + size, state.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<size_t>(got);
  }
  state.resize(size);
  constexpr std::string_view kKey = "\"pid\":";
  const size_t found = state.find(kKey);
  if (found == std::string::npos) return std::nullopt;
  const size_t start = state.find_first_not_of(' ', found + kKey.size());
  const size_t end = state.find_first_not_of("0123456789", start);
  if (start == std::string::npos || end == std::string::npos) return std::nullopt;
  return ParseDigits<int>(state.substr(start, end - start));
}

int SkipPids(int count) {
  const std::optional<int> pid = PidOfState();
  if (!pid) {
    std::fputs("gdo-stage: the container's state names no process\n", stderr);
    return kStatusFailed;
  }
  const std::string path = "/proc/" + std::to_string(*pid) + "/ns/pid";
  const int space = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0) return Fail("open", path.c_str());
  if (setns(space, CLONE_NEWPID) != 0) return Fail("enter", path.c_str());
  // Only children are in the namespace entered, and the file speaks of its writer's.
  const pid_t child = fork();
  if (child < 0) return Fail("start", "a process in the container");
  if (child == 0) _exit(WriteFile("/proc/sys/kernel/ns_last_pid", std::to_string(count)) ? 0 : 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return 0;
  std::fputs("gdo-stage: this kernel does not let process numbers be skipped\n", stderr);
  return kStatusFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "run" && argc >= kRunArguments) {
    const std::optional<int64_t> seconds = ParseDigits<int64_t>(argv[4]);
    if (seconds) return Run(argv[2], argv[3], *seconds, argv + kRunArguments - 1);
  }
  if (verb == "skip-pids" && argc == kSkipArguments) {
    const std::optional<int> count = ParseDigits<int>(argv[2]);
    if (count) return SkipPids(*count);
  }
  std::fputs(
      "usage: gdo-stage run IMAGE MOUNTPOINT UPTIME_SECONDS PROGRAM [ARGUMENT...]\n"
      "       gdo-stage skip-pids COUNT    (standard input: a container's state)\n",
      stderr);
  return kStatusUsage;
}
