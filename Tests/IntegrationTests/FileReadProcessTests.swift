import Foundation
import Testing

/// The disks and processes of cyclic-file-read, as built for the device, against psutil.
struct FileReadProcessTests {
  private typealias Records = [String: [[String: Any]]]

  private func sample(_ rig: Rig) throws -> Records {
    let result = try rig.runProgram("cyclic-file-read", "--once", "--process-count", "1000")
    #expect(result.status == 0)
    return Dictionary(grouping: result.output.compactMap(members)) { $0["kind"] as! String }
  }

  @Test(.needsPsutil) func diskCountersAgreeWithPsutil() throws {
    let rig = try Rig()
    let before = try sample(rig)
    let witness = try runPython(
      """
      import json, psutil
      print(json.dumps({
        n: c._asdict() for n, c in psutil.disk_io_counters(perdisk=True, nowrap=False).items()}))
      """, in: rig)
    let after = try sample(rig)
    for (device, counters) in witness {
      func record(_ records: Records) -> [String: Any]? {
        records["disk", default: []].first { $0["device"] as? String == device }
      }
      // psutil has loop and RAM devices that nobody used, we have not.
      guard let low = record(before), let high = record(after) else {
        #expect(device.hasPrefix("loop") || device.hasPrefix("ram") || device.hasPrefix("zram"))
        continue
      }
      let counters = try #require(counters as? [String: Double])
      for (own, key, scale) in [
        ("read_count", "read_count", 1.0), ("write_count", "write_count", 1),
        ("read_bytes", "read_bytes", 1), ("write_bytes", "write_bytes", 1),
        ("read_seconds", "read_time", 1000), ("write_seconds", "write_time", 1000),
        ("read_merged_count", "read_merged_count", 1),
        ("write_merged_count", "write_merged_count", 1), ("busy_seconds", "busy_time", 1000),
      ] {
        let value = try #require(counters[key])
        let first = try #require(low[own] as? NSNumber, "\(own)").doubleValue * scale
        let last = try #require(high[own] as? NSNumber, "\(own)").doubleValue * scale
        #expect(first - 0.5 <= value && value <= last + 0.5, "\(device) \(own)")
      }
    }
    #expect(before["disk"]?.isEmpty == false)
  }

  /// A process of our own that uses memory and CPU time and has a name that breaks parsers.
  @Test(.needsPsutil) func aProcessAgreesWithPsutil() throws {
    let rig = try Rig()
    let script = rig.folder.appending(path: "process.py").path()
    try """
    import ctypes, os, sys, threading, time
    ctypes.CDLL(None).prctl(15, b") R 1 (b) \\xff\\n", 0, 0, 0)
    memory = bytearray(os.urandom(1 << 20)) * 150
    end = time.process_time() + 1.0
    while time.process_time() < end: pass
    for _ in range(3): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    open(sys.argv[1] + ".data", "wb").write(memory[:5000000])
    print("ready", flush=True)
    time.sleep(1000)
    """.write(toFile: script, atomically: true, encoding: .utf8)
    let process = try ChildProcess(
      [pythonFolder + "/bin/python3", script, script], name: "process", in: rig.folder)
    try eventually("the process is ready", within: 60) { process.output.contains("ready") }

    let witness = try runPython(
      """
      import json, psutil
      p = psutil.Process(\(process.id))
      print(json.dumps({
        "times": p.cpu_times()._asdict(), "memory": p.memory_info()._asdict(),
        "threads": p.num_threads(), "uid": p.uids().effective, "parent": p.ppid(),
        "io": p.io_counters()._asdict(), "start": p.create_time(), "boot": psutil.boot_time(),
        "nice": p.nice()}))
      """, in: rig)
    let records = try sample(rig)
    let own = try #require(
      records["process", default: []].first { $0["pid"] as? Int == Int(process.id) })
    func number(_ name: String) throws -> Double {
      try #require(own[name] as? NSNumber, "\(name)").doubleValue
    }
    func part(_ name: String, _ key: String) throws -> Double {
      try #require((witness[name] as? [String: Any])?[key] as? NSNumber).doubleValue
    }
    #expect(own["name"] as? String == ") R 1 (b) \u{FFFD}\n")
    #expect(own["state"] as? String == "sleeping")
    // It sleeps: nothing of it changes.
    #expect(try abs(number("cpu_user_seconds") - part("times", "user")) < 0.011)
    #expect(try abs(number("cpu_system_seconds") - part("times", "system")) < 0.011)
    #expect(try number("cpu_user_seconds") + number("cpu_system_seconds") >= 1)
    #expect(try number("memory_resident_bytes") == part("memory", "rss"))
    #expect(try number("memory_virtual_bytes") == part("memory", "vms"))
    #expect(try number("thread_count") == 4)
    #expect(witness["threads"] as? Int == 4)
    #expect(own["uid"] as? Int == witness["uid"] as? Int)
    #expect(own["parent_pid"] as? Int == witness["parent"] as? Int)
    #expect(own["nice"] as? Int == witness["nice"] as? Int)
    #expect(try number("read_bytes") == part("io", "read_bytes"))
    #expect(try number("write_bytes") == part("io", "write_bytes"))
    #expect(try number("write_bytes") >= 5_000_000)
    let start = try #require(witness["start"] as? Double)
    let boot = try #require(witness["boot"] as? Double)
    #expect(try abs(number("start_seconds") - (start - boot)) < 1.1)
  }

  @Test(.needsPsutil) func processCountsAgreeWithPsutil() throws {
    let rig = try Rig()
    let before = try #require(sample(rig)["process_counts"]?.first)
    let witness = try runPython(
      """
      import json, psutil, collections
      states, threads = collections.Counter(), 0
      for p in psutil.process_iter(["status", "num_threads"]):
          states[p.info["status"]] += 1
          threads += p.info["num_threads"] or 0
      print(json.dumps({"states": states, "threads": threads}))
      """, in: rig)
    let after = try #require(sample(rig)["process_counts"]?.first)
    let states = try #require(witness["states"] as? [String: Int])
    /// Other tests start and end processes meanwhile.
    func expect(_ own: String, _ value: Int, slack: Int) throws {
      let (one, two) = (
        try #require(before[own] as? Int), try #require(after[own] as? Int)
      )
      #expect((min(one, two) - slack...max(one, two) + slack).contains(value), "\(own)")
    }
    try expect("process_count", states.values.reduce(0, +), slack: 15)
    try expect("idle_count", states["idle", default: 0], slack: 15)
    try expect("sleeping_count", states["sleeping", default: 0], slack: 25)
    try expect("thread_count", try #require(witness["threads"] as? Int), slack: 60)
  }

  /// The use of CPU time that the program computes is what two of its records say.
  @Test func cpuUseIsWhatTheCountersGrewBy() throws {
    let rig = try Rig()
    let burner = try ChildProcess(
      ["/bin/sh", "-c", "while :; do :; done"], name: "sh", in: rig.folder)
    let collector = try rig.program(
      "cyclic-file-read",
      [
        "--print", "--interval", "1h", "--processes-interval", "2s", "--process-count", "3",
      ])
    func own() -> [[String: Any]] {
      collector.output.compactMap(members).filter { $0["pid"] as? Int == Int(burner.id) }
    }
    try eventually("three samples of it", within: 30) { own().count >= 3 }
    // Of the first sample there is no time to compare with.
    let first = try #require(
      collector.output.compactMap(members).first { $0["kind"] as? String == "process" })
    #expect(first["cpu_ratio"] == nil)
    let records = own()
    for (one, next) in zip(records, records.dropFirst()) {
      func number(_ record: [String: Any], _ name: String) -> Double {
        (record[name] as! NSNumber).doubleValue
      }
      func time(_ record: [String: Any]) -> Double {
        number(record, "cpu_user_seconds") + number(record, "cpu_system_seconds")
      }
      let use = (time(next) - time(one)) / (number(next, "time") - number(one, "time"))
      // On a busy machine some time may pass between reading and sending.
      #expect(abs(number(next, "cpu_ratio") - use) < 0.25)
      #expect(number(next, "cpu_ratio") > 0.1)
    }
    burner.kill()
    try eventually("it is not told of any more") {
      let last = collector.output.compactMap(members).suffix(while: {
        $0["kind"] as? String == "process"
      })
      return !last.isEmpty && !last.contains { $0["pid"] as? Int == Int(burner.id) }
    }
    #expect(try collector.stop() == 0)
  }
}

extension Array where Element == [String: Any] {
  /// The elements at the end for which this holds.
  fileprivate func suffix(while isPart: (Element) -> Bool) -> ArraySlice<Element> {
    self[(lastIndex { !isPart($0) }.map { $0 + 1 } ?? 0)...]
  }
}
