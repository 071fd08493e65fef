import Foundation
import Testing

/// What trace-consumer tells, against witnesses that know.
@Suite(.needsRoot, .needsTracing, .needs(command: "cc"))
struct TraceConsumerTruthTests {
  let rig: Rig
  /// A name that no other process has, of at most 15 bytes.
  let name = Machine.uniqueName()

  init() throws { rig = try Rig() }

  @Test func execsAreCountedAndEachIsAnEvent() throws {
    let trace = try PrintedTrace(rig, "execs")
    let processes = try rig.shell(
      "cp /bin/true \(name); for n in $(seq 100); do ./\(name) & echo $!; wait; done")
    let records = try trace.records()
    #expect(records.sum("execs", name) == 100)
    let events = records.events("started").filter { $0.text("comm") == name }
    #expect(events.compactMap { $0.integer("pid") } == processes.compactMap(Int.init))
    let times = events.compactMap { ($0.all["since_boot_seconds"] as? NSNumber)?.doubleValue }
    #expect(times.count == 100 && times == times.sorted())
    let now = clock(CLOCK_BOOTTIME)
    #expect(times.allSatisfy { $0 < now && $0 > now - 60 })
    #expect(events.allSatisfy { $0.integer("cpu") != nil && $0.text("fields") == "" })
    #expect(events.allSatisfy { $0.all["notable"] as? Bool == false })
  }

  private func clock(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Read in the middle of it, again and again: nothing is counted twice and nothing is lost.
  @Test func intervalsAddUpUnderLoad() throws {
    let path = try rig.subject(name)
    func calls(_ reads: Int) throws -> Int {
      let trace = try PrintedTrace(rig, "system-calls", interval: "20ms")
      #expect(try rig.run([path, "read", "\(reads)"], within: 60).status == 0)
      let records = try trace.records()
      #expect(reads == 0 || records.count { $0.text("key") == name } > 3)
      return records.sum("calls", name)
    }
    #expect(try calls(1_000_000) - calls(0) == 1_000_000)
  }

  /// Its map has room for 4,096 keys: more than that come, but not at one time.
  @Test func keysThatAreQuietForLongMakeRoom() throws {
    let path = try rig.subject(name)
    let trace = try PrintedTrace(rig, "failed-opens", interval: "20ms")
    var expected: Set<String> = []
    for _ in 1...3 {
      let id = try #require(try rig.shell("\(path) names 2500").first)
      expected.formUnion((0..<2500).map { "\(id).\($0),2" })
      // Keys are forgotten after twelve readings: what is told after another has been told is of a later one.
      for _ in 1...14 {
        let witness = try #require(try rig.shell("\(path) names 1").first)
        try eventually("it is told", within: 30) {
          trace.process.output.last { $0.contains("\"key\":\"\(witness).0,2\"") } != nil
        }
      }
    }
    let records = try trace.records()
    let told = records.filter { expected.contains($0.text("key")) }
    #expect(told.count == 7500)
    #expect(Set(told.map { $0.text("key") }) == expected)
    #expect(told.allSatisfy { $0.integer("value") == 1 })
    #expect(records.allSatisfy { $0.text("kind") != "trace_loss" })
  }

  @Test func exitsBySignalAreEventsThatAreKeptLonger() throws {
    let trace = try PrintedTrace(rig, "exits-by-signal")
    let told = try rig.shell(
      """
      cp /bin/sleep \(name)
      for signal in TERM TERM KILL SEGV; do
        ./\(name) 5 & echo $!; sleep 0.1; kill -$signal $!; wait $! 2>/dev/null || true
      done
      """)
    let records = try trace.records()
    #expect(records.sum("exits", "\(name),15") == 2)
    #expect(records.sum("exits", "\(name),9") == 1)
    #expect(records.sum("exits", "\(name),11") == 1)
    let events = records.events("ended").filter { $0.text("comm") == name }
    #expect(events.compactMap { $0.integer("pid") } == told.compactMap(Int.init))
    #expect(
      events.map { $0.text("fields") } == ["signal=15", "signal=15", "signal=9", "signal=11"])
    #expect(events.allSatisfy { $0.all["notable"] as? Bool == true })
  }

  @Test func tasksThatShareAProcessorWait() throws {
    let trace = try PrintedTrace(rig, "run-queue-latency")
    _ = try rig.shell(
      "for n in 1 2; do timeout 1 taskset --cpu-list 0 sh -c 'while :; do :; done' & done; wait")
    let histogram = try trace.records().histogram("microseconds")
    let long = histogram.filter { $0.key >= 2047 }.map(\.value).reduce(0, +)
    #expect(long >= 50, "\(histogram)")
    #expect(histogram.keys.allSatisfy { ($0 + 1) & $0 == 0 })
  }

  @Test(.needs("needs a memory controller of cgroups that root may use") { MemoryLimit.isThere })
  func theVictimOfTheOOMKillerIsAnEvent() throws {
    let trace = try PrintedTrace(rig, "oom-kills, exits-by-signal")
    let group = try MemoryLimit.group(name, bytes: 20 << 20)
    defer { try? eventually("\(group) is empty") { rmdir(group) == 0 } }
    _ = try rig.shell("cp /bin/sh \(name)")
    let eater = try ChildProcess(
      [
        rig.folder.appending(path: name).path(), "-c",
        "echo $$ > \(group)/cgroup.procs; a=xxxxxxxx; while :; do a=$a$a; done",
      ], name: "eater", in: rig.folder)
    #expect(try eater.wait(within: 60) == -9)
    let records = try trace.records()
    let victims = records.events("victims").filter { $0.integer("pid") == Int(eater.id) }
    #expect(victims.map { $0.text("fields") } == ["trigger=\(name)"])
    #expect(victims.allSatisfy { $0.all["notable"] as? Bool == true })
    #expect(records.sum("exits", "\(name),9") == 1)
  }

  /// A program of one's own, by its path, whose distributions have a key.
  @Test(.needs("needs the clang of the Swift toolchain") { Self.clang != nil })
  func sleepsAreInTheBucketsOfTheirOwnTiming() throws {
    let path = try rig.subject(name)
    let stem = rig.folder.appending(path: "naps").path()
    try Self.naps.write(toFile: stem + ".bpf.c", atomically: true, encoding: .utf8)
    try "aggregate microseconds quantize 64 comm:text16\nlost lost\n".write(
      toFile: stem + ".manifest", atomically: true, encoding: .utf8)
    let clang = try #require(Self.clang)
    let headers = Machine.packageRoot.appending(path: "Sources/trace-consumer/bpf").path()
    _ = try rig.shell(
      """
      \(clang) -target bpf -O2 -g -Wall -Werror -I \(headers) \
        -isystem /usr/include/$(uname -m)-linux-gnu -c naps.bpf.c -o naps.bpf.o
      """)
    let trace = try PrintedTrace(rig, stem + ".manifest")
    let timings = try rig.shell("\(path) sleep").compactMap(Int.init)
    #expect(timings.count == 100)
    let records = try trace.records()
    var expected: [Int: Int] = [:]
    for microseconds in timings {
      let bound = 1 << (Int.bitWidth - microseconds.leadingZeroBitCount) - 1
      expected[bound, default: 0] += 1
    }
    #expect(records.histogram("microseconds", name) == expected)
    #expect(records.allSatisfy { $0.text("program") == "naps" })
  }

  private static let clang: String? = Machine.command("swiftc").map {
    URL(filePath: $0).resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "clang")
      .path()
  }

  private static let naps = """
    #include "trace.h"

    struct command { char name[16]; };

    struct {
      __uint(type, BPF_MAP_TYPE_LRU_HASH);
      __uint(max_entries, 1024);
      __type(key, __u64);
      __type(value, __u64);
    } begun SEC(".maps");

    struct {
      __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
      __uint(max_entries, 64);
      __type(key, struct command);
      __type(value, histogram);
    } microseconds SEC(".maps");

    struct histogram_map nothing SEC(".maps");
    struct lost_map lost SEC(".maps");

    SEC("tp/syscalls/sys_enter_nanosleep") int on_enter(void *context) {
      __u64 task = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
      bpf_map_update_elem(&begun, &task, &now, BPF_ANY);
      return 0;
    }

    SEC("tp/syscalls/sys_exit_nanosleep") int on_exit(void *context) {
      __u64 task = bpf_get_current_pid_tgid();
      __u32 zero = 0;
      __u64 *since = bpf_map_lookup_elem(&begun, &task);
      if (!since) return 0;
      struct command command = {};
      bpf_get_current_comm(&command, sizeof command);
      histogram *all = bpf_map_lookup_elem(&microseconds, &command);
      if (!all) {
        histogram *empty = bpf_map_lookup_elem(&nothing, &zero);
        if (!empty) return 0;
        bpf_map_update_elem(&microseconds, &command, empty, BPF_NOEXIST);
        all = bpf_map_lookup_elem(&microseconds, &command);
      }
      if (all) all->counts[bucket_of((bpf_ktime_get_ns() - *since) / 1000)]++;
      else count_lost(&lost);
      return 0;
    }
    """
}
