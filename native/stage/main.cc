// gdo-stage: what has to be done with a kernel between the agent and a container tool, in one short
// process instead of a shell and its helpers. Rules: docs/design/dapps.md [D1] [D3].
//
//   gdo-stage run IMAGE MOUNTPOINT UPTIME_SECONDS PROGRAM [ARGUMENT...]
//     Becomes PROGRAM in a mount namespace of its own in which IMAGE is bound to MOUNTPOINT, and,
//     where the seconds are not 0, in a time namespace whose clocks since boot are that much ahead.
//     Both end with the last process in them: nothing to clean up, however the agent ends.
//   gdo-stage hold IMAGE MOUNTPOINT UPTIME_SECONDS PID_FILE PROGRAM [ARGUMENT...]
//     Starts PROGRAM so, as a child; without a mount namespace where IMAGE is empty. PROGRAM leaves
//     a process behind whose number it writes into PID_FILE, and ends. This one stays, and ends as
//     that process does: what a tool would do that does not detach, but without standing between a
//     container and its streams, and with a hundredth of the memory.
//   gdo-stage skip-pids COUNT
//     A hook of the container tool: reads the container's state from standard input and lets the
//     next process in its pid namespace have a number above COUNT.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace {

constexpr int kStatusFailed = 125;
constexpr int kStatusUsage = 2;
constexpr int kStatusOfSignal = 128;
constexpr int kRunArguments = 6;
constexpr int kHoldArguments = 7;
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

// 0, or the status to end with.
int SetStage(const char* image, const char* mountpoint, int64_t uptime_seconds) {
  if (*image == '\0') return 0;
  if (unshare(CLONE_NEWNS) != 0) return Fail("leave", "the mount namespace");
  // Else the machine's own table would show the mount.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return Fail("detach", "/");
  if (mount(image, mountpoint, nullptr, MS_BIND, nullptr) != 0) return Fail("bind", image);
  if (uptime_seconds != 0 && !MoveUptime(uptime_seconds)) return Fail("move", "the clocks");
  return 0;
}

int Become(char** command) {
  execvp(command[0], command);
  return Fail("run", command[0]);
}

// As a shell tells it. Others that end meanwhile are taken too: orphans of the tool come to us.
int WaitFor(pid_t wanted, pid_t among) {
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(among, &status, 0);
    if (ended == wanted) break;
    if (ended < 0 && errno != EINTR) return Fail("wait for", "a process");
  }
  return WIFSIGNALED(status) ? kStatusOfSignal + WTERMSIG(status) : WEXITSTATUS(status);
}

std::optional<pid_t> PidInFile(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  char text[16];
  const ssize_t size = read(file, text, sizeof text);
  close(file);
  return size <= 0 ? std::nullopt : ParseDigits<pid_t>({text, static_cast<size_t>(size)});
}

int Hold(const char* pid_file, char** command) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return Fail("adopt", "the container's process");
  const pid_t self = getpid();
  const pid_t tool = fork();
  if (tool < 0) return Fail("start", command[0]);
  if (tool == 0) {
    // A tool that is still at work when this process is killed would make a container that nobody
    // waits for.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self) _exit(kStatusFailed);
    _exit(Become(command));
  }
  // Held open here as well, they would not end with the container.
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  const int status = WaitFor(tool, tool);
  if (status != 0) return status;
  const std::optional<pid_t> first = PidInFile(pid_file);
  return first ? WaitFor(*first, -1) : Fail("read", pid_file);
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
  const bool is_hold = verb == "hold";
  if ((verb == "run" && argc >= kRunArguments) || (is_hold && argc >= kHoldArguments)) {
    const std::optional<int64_t> seconds = ParseDigits<int64_t>(argv[4]);
    if (seconds) {
      const int status = SetStage(argv[2], argv[3], *seconds);
      if (status != 0) return status;
      return is_hold ? Hold(argv[5], argv + kHoldArguments - 1) : Become(argv + kRunArguments - 1);
    }
  }
  if (verb == "skip-pids" && argc == kSkipArguments) {
    const std::optional<int> count = ParseDigits<int>(argv[2]);
    if (count) return SkipPids(*count);
  }
  std::fputs(
      "usage: gdo-stage run IMAGE MOUNTPOINT UPTIME_SECONDS PROGRAM [ARGUMENT...]\n"
      "       gdo-stage hold IMAGE MOUNTPOINT UPTIME_SECONDS PID_FILE PROGRAM [ARGUMENT...]\n"
      "       gdo-stage skip-pids COUNT    (standard input: a container's state)\n",
      stderr);
  return kStatusUsage;
}
