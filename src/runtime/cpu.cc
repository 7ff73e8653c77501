#include "runtime/cpu.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/content_hash.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace whisper_s4y {
namespace {

std::optional<int> read_int(const std::string& path) {
  std::ifstream file(path);
  int value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

/// Physical cores among the processors this process may run on; 0 when the system does not tell.
int physical_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 0;
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", cpu);
    const std::optional<int> package = read_int(folder + "physical_package_id");
    const std::optional<int> core = read_int(folder + "core_id");
    if (!package || !core) return CPU_COUNT(&allowed);
    cores.emplace(*package, *core);
  }
  return static_cast<int>(cores.size());
}

/// Processors' worth of time that the control group grants (cgroup v2 cpu.max, "quota period");
/// a container's limit shows here and nowhere else.
std::optional<int> granted_cpus() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;  // "max 100000"
  return static_cast<int>(std::ceil(quota / period));
}

std::vector<uint64_t> processor_features() {
  std::vector<uint64_t> features;
#if defined(__x86_64__)
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
  uint32_t d = 0;
  // EBX of leaf 1 holds the number of the core that asks: left out.
  if (__get_cpuid(1, &a, &b, &c, &d) != 0) features.insert(features.end(), {a, c, d});
  for (const uint32_t subleaf : {0U, 1U}) {
    if (__get_cpuid_count(7, subleaf, &a, &b, &c, &d) != 0) {
      features.insert(features.end(), {a, b, c, d});
    }
  }
#elif defined(__aarch64__)
  features = {::getauxval(AT_HWCAP), ::getauxval(AT_HWCAP2)};
  std::ifstream file("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1");
  uint64_t model = 0;
  if (file >> std::hex >> model) features.push_back(model);
#endif
  return features;
}

#if defined(__x86_64__)
__attribute__((target("avx"))) void run_vzeroupper() { __builtin_ia32_vzeroupper(); }
#endif

}  // namespace

int default_threads() {
  int threads = physical_cores();
  if (threads == 0) threads = static_cast<int>(std::thread::hardware_concurrency());
  if (const std::optional<int> granted = granted_cpus()) threads = std::min(threads, *granted);
  return std::max(threads, 1);
}

const std::string& cpu_id() {
  static const std::string id = [] {
    const std::vector<uint64_t> features = processor_features();
    ContentHash hash;
    hash.update(std::as_bytes(std::span(features)));
    return hash.digest();
  }();
  return id;
}

void clear_upper_vector_registers() {
#if defined(__x86_64__)
  static const bool has_them = __builtin_cpu_supports("avx") != 0;
  if (has_them) run_vzeroupper();
#endif
}

}  // namespace whisper_s4y
