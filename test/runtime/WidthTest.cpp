extern "C" {
#include "runtime/Width.h"
}
#include "Fixture.h"

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {
/// A cgroup tree of files in a scratch folder.
struct Tree {
  Tree() { mkdir(root.c_str(), 0700); }
  ~Tree() {
    for (auto path = made.rbegin(); path != made.rend(); ++path)
      remove(path->c_str());
    remove(root.c_str());
  }
  void write(const std::string &path, const std::string &text) {
    for (size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      mkdir((root + "/" + path.substr(0, at)).c_str(), 0700);
      made.push_back(root + "/" + path.substr(0, at));
    }
    writeFile(root + "/" + path, text);
    made.push_back(root + "/" + path);
  }
  uint32_t quota() { return torsh_rt_cgroup_quota((root + "/self").c_str(), root.c_str()); }
  std::string root = fake("cgroup_" + std::to_string(getpid()));
  std::vector<std::string> made;
};
} // namespace

TEST_CASE("the quota of cgroup version 2 is read, of every ancestor", "[width]") {
  Tree tree;
  CHECK(tree.quota() == 0);
  tree.write("self", "0::/service/worker\n");
  CHECK(tree.quota() == 0);
  tree.write("service/worker/cpu.max", "max 100000\n");
  CHECK(tree.quota() == 0);
  tree.write("service/cpu.max", "350000 100000\n");
  CHECK(tree.quota() == 4);
  tree.write("service/worker/cpu.max", "150000 100000\n");
  CHECK(tree.quota() == 2);
  tree.write("cpu.max", "20000 100000\n");
  CHECK(tree.quota() == 1);
}

TEST_CASE("in a container the path of the host is not there, but the root is", "[width]") {
  Tree tree;
  tree.write("self", "0::/docker/0123456789abcdef\n");
  tree.write("cpu.max", "300000 100000\n");
  CHECK(tree.quota() == 3);
}

TEST_CASE("the quota of cgroup version 1 is read", "[width]") {
  Tree tree;
  tree.write("self", "9:cpuset:/other\n4:cpuacct,cpu:/service\n1:name=systemd:/x\n");
  tree.write("cpu/service/cpu.cfs_quota_us", "-1\n");
  tree.write("cpu/service/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == 0);
  tree.write("cpu/service/cpu.cfs_quota_us", "250000\n");
  CHECK(tree.quota() == 3);
}

TEST_CASE("the default width follows the affinity mask", "[width]") {
  cpu_set_t before, one;
  REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
  CHECK(api().default_width() >= 1);
  CHECK(api().default_width() <= uint32_t(CPU_COUNT(&before)));
  uint32_t narrow = 0;
  std::thread([&] { // so that the mask of the test program stays
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); ++i)
      if (CPU_ISSET(i, &before))
        CPU_SET(i, &one);
    sched_setaffinity(0, sizeof(one), &one);
    narrow = api().default_width();
  })
      .join();
  CHECK(narrow == 1);
}
