import Foundation
import Testing

/// cyclic-file-read as built for the device, with the files of other machines and in operation.
struct FileReadTests {
  // MARK: Captures of other machines

  @Test(arguments: [
    "vm-x86_64-6.18", "raspberry-pi-4-arm64-6.6", "raspberry-pi-3-armhf-5.10", "pc-x86_64-3.2",
    "hostile",
  ])
  func everyArchitectureReadsTheSame(_ machine: String) throws {
    let rig = try Rig()
    let folder = Machine.packageRoot.appending(path: "Tests/Fixtures/cyclic-file-read/\(machine)")
    var expected: [String]?
    for architecture in Rig.Architecture.allCases {
      let result = try rig.runProgram(
        "cyclic-file-read", "--once", "--procfs", folder.appending(path: "proc").path(), "--sysfs",
        folder.appending(path: "sys").path(), on: architecture)
      #expect(result.status == 0)
      // Without the envelope: the time and the instance differ.
      let bodies = result.output.map { line in
        String(line[line.range(of: "\"clock_synced\":")!.upperBound...].drop { $0 != "," })
      }
      #expect(bodies.count > 5)
      if let expected { #expect(bodies == expected, "\(architecture)") }
      expected = bodies
    }
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func aSampleOf256CPUsArrivesWhole() throws {
    let rig = try Rig()
    let (procfs, sysfs) = try manyCPUs(256, in: rig.folder)
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program(
      "cyclic-file-read",
      [
        "--procfs", procfs, "--sysfs", sysfs, "--interval", "1h",
      ])
    try eventually("each CPU's times and frequency") {
      subscriber.messages.count { $0.topic.contains("/cpu/") } == 257
        && subscriber.messages.count { $0.topic.contains("/cpu_frequency/") } == 256
    }
    #expect(Set(subscriber.messages.map { $0.topic }).count >= 513)
    #expect(subscriber.messages.allSatisfy { $0.integer("dropped") ?? 0 == 0 })
    let last = try #require(subscriber.messages(of: "/cpu_frequency/255").first)
    #expect(last.integer("frequency_hertz") == 1_000_255_000)
    #expect(last.integer("frequency_limit_hertz") == 2_000_000_000)
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func hostileInterfaceNamesMakeValidTopicsAndJSON() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let folder = Machine.packageRoot.appending(path: "Tests/Fixtures/cyclic-file-read/hostile")
    let collector = try rig.program(
      "cyclic-file-read",
      [
        "--procfs", folder.appending(path: "proc").path(), "--sysfs",
        folder.appending(path: "sys").path(), "--interval", "1h",
      ])
    let name = rig.name
    func interfaces() -> [Message] { subscriber.messages.filter { $0.topic.contains("/network/") } }
    try eventually("17 interfaces") { interfaces().count == 17 }
    #expect(interfaces().allSatisfy { $0.integer("transmit_compressed") == 16 })
    #expect(
      interfaces().allSatisfy {
        // Nothing in a name makes another level.
        $0.topic.hasPrefix("stats/\(name)/cyclic-file-read/network/")
          && $0.topic.split(separator: "/", omittingEmptySubsequences: false).count == 5
      })
    #expect(interfaces().first?.text("state") == "up")
    #expect(interfaces().contains { $0.text("interface") == "../../etc" })
    #expect(interfaces().dropFirst().allSatisfy { $0.text("state") == "unknown" })
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test func aFileThatTurnsIntoGarbageIsToldOnceAndTheRestGoesOn() throws {
    let rig = try Rig()
    let capture = Machine.packageRoot
      .appending(path: "Tests/Fixtures/cyclic-file-read/raspberry-pi-4-arm64-6.6")
    let copy = rig.folder.appending(path: "machine")
    try FileManager.default.copyItem(at: capture, to: copy)
    let collector = try rig.program(
      "cyclic-file-read",
      [
        "--print", "--interval", "20ms", "--procfs", copy.appending(path: "proc").path(), "--sysfs",
        copy.appending(path: "sys").path(),
      ])
    func count(_ kind: String) -> Int {
      collector.output.count { $0.contains("\"kind\":\"\(kind)\"") }
    }
    try eventually("memory") { count("memory") > 3 }
    let meminfo = copy.appending(path: "proc/meminfo").path()
    let file = try #require(FileHandle(forWritingAtPath: meminfo))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: Data("garbage\n".utf8))
    try file.close()
    try eventually("it is told") {
      collector.log.contains { $0.contains("meminfo has a line that is not a name and a number") }
    }
    let (memory, paging) = (count("memory"), count("page_activity"))
    try eventually("the other records go on") { count("page_activity") > paging + 10 }
    #expect(count("memory") <= memory + 1)
    #expect(collector.log.count { $0.contains("meminfo") } == 1)
    #expect(try collector.stop() == 0)
  }

  // MARK: Groups

  @Test func eachGroupHasItsIntervalWithoutDrift() throws {
    let rig = try Rig()
    let collector = try rig.program(
      "cyclic-file-read",
      [
        "--print", "--cpu-interval", "off", "--memory-interval", "100ms", "--network-interval",
        "300ms", "--interval", "1h",
      ])
    func times(_ kind: String) -> [Double] {
      collector.output.compactMap(members).filter { $0["kind"] as? String == kind }
        .map { $0["time"] as! Double }
    }
    try eventually("31 samples of memory") { times("memory").count >= 31 }
    #expect(try collector.stop() == 0)
    let (memory, sockets) = (times("memory"), times("sockets"))
    #expect(abs(memory[30] - memory[0] - 3.0) < 0.05)
    #expect((10...12).contains(sockets.count))
    #expect(abs(sockets[9] - sockets[0] - 2.7) < 0.05)
    #expect(times("cpu_times").isEmpty)
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func withoutAnySourceItIsUnavailableAndSaysSo() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program(
      "cyclic-file-read", ["--procfs", "/nonexistent", "--sysfs", "/nonexistent"])
    #expect(try collector.wait() == 69)
    #expect(collector.log.count { $0.contains("error: none of the files is there") } == 1)
    try eventually("the status says so") {
      let status = subscriber.messages(of: "/status").last
      return status?.text("cyclic_file_read_state") == "unavailable"
        && status?.text("cyclic_file_read_reason")?.contains("--procfs /nonexistent") == true
    }
    #expect(try bridge.stop() == 0)
  }

  @Test func oneGroupIsEnough() throws {
    let rig = try Rig()
    let folder = Machine.packageRoot.appending(path: "Tests/Fixtures/cyclic-file-read/hostile")
    let result = try rig.runProgram(
      "cyclic-file-read", "--once", "--procfs", folder.appending(path: "proc").path())
    #expect(result.status == 0)
    #expect(result.log.count { $0.contains("no group cpu on this machine: open ") } == 1)
    #expect(result.log.count { $0.contains("no group memory on this machine: open ") } == 1)
  }

  @Test(arguments: [
    ["--cpu-interval", "9ms"], ["--interval", "0"], ["--interval", "off"],
    ["--memory-interval", "2d"], ["--network-interval", "often"], ["--cpu-interval"],
  ])
  func aTimeThatIsNoneIsAMistake(_ options: [String]) throws {
    let rig = try Rig()
    let result = try rig.run(
      Rig.command("cyclic-file-read", on: .amd64) + ["--config", "/dev/null"] + options)
    #expect(result.status == 2)
    #expect(result.log.count == 1)
  }

  // MARK: Memory

  /// Twenty samples or two hundred: the same number of allocations.
  @Test(
    .needs(command: "valgrind"), .needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func aSampleAllocatesNothing() throws {
    func allocations(samples: Int) throws -> (allocations: Int, samples: Int) {
      let rig = try Rig()
      let subscriber = try rig.subscriber()
      let bridge = try rig.bridge()
      let folder = Machine.packageRoot
        .appending(path: "Tests/Fixtures/cyclic-file-read/raspberry-pi-4-arm64-6.6")
      let program = try ChildProcess(
        [#require(Machine.command("valgrind"))] + Rig.command("cyclic-file-read", on: .amd64)
          + [
            "--config", "/dev/null", "--queue-prefix", rig.queuePrefix, "--interval", "30ms",
            // The real counters, with the frequencies of a machine that has them.
            "--sysfs", folder.appending(path: "sys").path(),
          ], name: "valgrind", in: rig.folder)
      func count() -> Int { subscriber.messages(of: "/memory").count }
      try eventually("\(samples) samples", within: 60) { count() >= samples }
      #expect(try program.stop() == 0)
      #expect(try bridge.stop() == 0)
      #expect(!program.log.contains { $0.contains("queue is full") })
      #expect(program.log.contains { $0.contains("ERROR SUMMARY: 0 errors") })
      let line = try #require(program.log.first { $0.contains("total heap usage:") })
      let word = try #require(line.split(separator: " ").first { $0.first?.isNumber == true })
      return (try #require(Int(word.filter(\.isNumber))), count())
    }
    let (few, many) = (try allocations(samples: 20), try allocations(samples: 200))
    #expect(many.samples > few.samples + 100)
    #expect(few.allocations > 10)
    #expect(few.allocations == many.allocations)
  }
}

/// The members of a record that was printed.
func members(_ line: String) -> [String: Any]? {
  try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
}

/// A procfs and a sysfs of a machine with so many CPUs.
private func manyCPUs(_ count: Int, in folder: URL) throws -> (procfs: String, sysfs: String) {
  let (procfs, sysfs) = (folder.appending(path: "proc"), folder.appending(path: "sys"))
  try FileManager.default.createDirectory(at: procfs, withIntermediateDirectories: true)
  var stat = "cpu  1 2 3 4 5 6 7 8 9 10\n"
  for cpu in 0..<count {
    stat += "cpu\(cpu) \(cpu) 2 3 4 5 6 7 8 9 10\n"
    let cpufreq = sysfs.appending(path: "devices/system/cpu/cpu\(cpu)/cpufreq")
    try FileManager.default.createDirectory(at: cpufreq, withIntermediateDirectories: true)
    for (name, value) in [("scaling_cur_freq", 1_000_000 + cpu), ("scaling_max_freq", 2_000_000)] {
      try "\(value)\n".write(to: cpufreq.appending(path: name), atomically: false, encoding: .utf8)
    }
  }
  stat += "intr 1" + String(repeating: " 0", count: 8000) + "\nctxt 1\nbtime 1\nprocesses 1\n"
  try stat.write(to: procfs.appending(path: "stat"), atomically: false, encoding: .utf8)
  return (procfs.path(), sysfs.path())
}
