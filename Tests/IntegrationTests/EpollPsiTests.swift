import CLinux
import Foundation
import Testing

/// Pressure as the kernel tells it, against a second trigger and the files read beside it.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct EpollPsiTests {
  private let fixtures = Machine.packageRoot.appending(path: "Tests/Fixtures/pressure").path()

  // MARK: The present state

  @Test(.needsPressure) func onceTellsThePresentStateOfAllResources() throws {
    let rig = try Rig()
    let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/pressure").sorted()
    func totals() throws -> [(some: Double?, full: Double?)] {
      try names.map { try Pressure.totals("/proc/pressure/\($0)") }
    }
    let before = try totals()
    let once = try rig.runProgram("epoll-psi", "--once")
    let after = try totals()
    #expect(once.status == 0)
    #expect(once.log == [])
    let records = try once.output.map(Message.init(printed:))
    #expect(records.map { $0.text("resource") ?? "" }.sorted() == names)
    for (index, name) in names.enumerated() {
      let record = try #require(records.first { $0.text("resource") == name })
      #expect(record.text("kind") == "pressure_sample")
      #expect(record.text("cgroup") == "")
      for (key, low, high) in [
        ("some_total_seconds", before[index].some, after[index].some),
        ("full_total_seconds", before[index].full, after[index].full),
      ] {
        guard let low, let high else {
          #expect(record.number(key) == nil)
          continue
        }
        #expect(low...high ~= (try #require(record.number(key))))
      }
      for (key, value) in record.members where key.contains("_avg") {
        #expect(0...1 ~= (try #require(value as? NSNumber)).doubleValue, "\(name) \(key)")
      }
    }
  }

  @Test(arguments: Rig.Architecture.allCases)
  func theCaptureOfAnOldKernelReadsTheSameEverywhere(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let once = try rig.runProgram(
      "epoll-psi", "--once", "--procfs", fixtures + "/linux-5.10-armhf", "--cgroupfs",
      fixtures + "/cgroup2", "--cgroup", "system.slice/*.service", on: architecture)
    #expect(once.status == 0)
    #expect(once.log == [])
    // What comes behind the envelope.
    let bodies = once.output.map { $0.components(separatedBy: #""clock_synced":"#)[1] }
      .map { $0.split(separator: ",", maxSplits: 1)[1] }
    #expect(bodies.count == 9)
    #expect(
      bodies[0] == #"""
        "resource":"cpu","cgroup":"","some_avg10":0.0031,"some_avg60":0.0047,"some_avg300":0.0029,\#
        "some_total_seconds":412.876313}
        """#)
    #expect(
      bodies[2] == #"""
        "resource":"io","cgroup":"","some_avg10":0.0418,"some_avg60":0.029,"some_avg300":0.0102,\#
        "some_total_seconds":96.344201,"full_avg10":0.0397,"full_avg60":0.0271,\#
        "full_avg300":0.0095,"full_total_seconds":88.120345}
        """#)
    #expect(
      bodies.contains(
        #"""
        "resource":"memory","cgroup":"system.slice/ssh.service","some_avg10":0.025,\#
        "some_avg60":0.0025,"some_avg300":0.001,"some_total_seconds":0.0014,"full_avg10":0.0225,\#
        "full_avg60":0.0012,"full_avg300":0.0005,"full_total_seconds":0.00065}
        """#))
  }

  @Test func interruptsAreToldWhereTheKernelAccountsThem() throws {
    let rig = try Rig()
    let once = try rig.runProgram("epoll-psi", "--once", "--procfs", fixtures + "/linux-6.6-arm64")
    let record = try #require(try once.output.map(Message.init(printed:)).last)
    #expect(record.text("resource") == "irq")
    #expect(record.number("full_total_seconds") == 214.598301)
    #expect(record.number("some_total_seconds") == nil)
  }

  // MARK: Triggers of the system

  @Test(.needsPressure, .needs(command: "chrt"))
  func whatTheKernelFiresArrivesAtTheBrokerWithin20ms() throws {
    let rig = try Rig()
    let subscriber = try TimedSubscriber(rig)
    let bridge = try rig.bridge()
    let witness = try PressureWitness("/proc/pressure/cpu", "some 500000 2000000")
    defer { witness.stop() }
    let collector = try rig.program("epoll-psi", ["--trigger", "cpu:some:500ms/2s"])
    try eventually("the trigger is set") { collector.log.contains { $0.contains("triggers: 1,") } }
    let hogs = try Hogs(in: rig.folder)
    // From the kernel's event to the subscriber. Whatever else runs on this machine may delay
    // either; so of several, one has to be in time.
    func delays() throws -> [Double] {
      try subscriber.arrivals("pressure_stall").compactMap { stall in
        witness.fired.last { $0 <= stall.time + 0.005 }.map { stall.time - $0 }
      }
    }
    try eventually("three records, one of them in time", within: 40) {
      try delays().count >= 3 && delays().contains { $0 < 0.020 }
    }
    hogs.stop()
    let onset = try #require(try subscriber.arrivals("pressure_stall").first).message
    #expect(onset.text("state") == "onset")
    #expect(onset.flag("polled") == false)
    print("from the kernel's event to the subscriber, in ms:", try delays().map { $0 * 1000 })
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test(.needsPressure) func aWindowThatTheKernelDoesNotAllowIsMadeLonger() throws {
    let rig = try Rig()
    let collector = try rig.program(
      "epoll-psi", ["--print", "--trigger", "cpu:some:900ms/1s", "--trigger", "io:full:900ms/1s"])
    try eventually("it runs") { collector.log.contains { $0.contains("triggers: 2,") } }
    let changes = collector.log.filter { $0.contains("becomes") }
    if Pressure.allows("some 900000 1000000") {
      #expect(changes == [])
    } else {
      #expect(
        changes == [
          "epoll-psi: warning: without CAP_SYS_RESOURCE windows are multiples of 2s: "
            + "cpu:some:900ms/1s becomes cpu:some:1800ms/2s",
          "epoll-psi: warning: without CAP_SYS_RESOURCE windows are multiples of 2s: "
            + "io:full:900ms/1s becomes io:full:1800ms/2s",
        ])
    }
    #expect(try collector.stop() == 0)
  }

  @Test(.needsPressure, .needsRoot, .needs(command: "setpriv"), .needs(command: "chrt"))
  func aUserWithoutPrivilegesIsToldTheSame() throws {
    let rig = try Rig()
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: rig.folder.path())
    let collector = try ChildProcess(
      [
        #require(Machine.command("setpriv")), "--reuid=65534", "--regid=65534", "--clear-groups",
        "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs",
      ] + Rig.command("epoll-psi", on: .amd64) + [
        "--config", "/dev/null", "--print", "--trigger", "cpu:some:100ms/1s",
      ], name: "epoll-psi", in: rig.folder)
    try eventually("it runs") { collector.log.contains { $0.contains("triggers: 1,") } }
    #expect(collector.log.contains { $0.contains("cpu:some:100ms/1s becomes cpu:some:200ms/2s") })
    let hogs = try Hogs(in: rig.folder)
    try eventually("a record", within: 20) { !collector.output.isEmpty }
    hogs.stop()
    let record = try Message(printed: collector.output[0])
    #expect(record.text("state") == "onset")
    #expect(record.flag("polled") == false)
    #expect(record.number("threshold_seconds") == 0.2)
    #expect(record.number("window_seconds") == 2)
    #expect(try collector.stop() == 0)
  }

  /// The kernel fires a trigger without privilege at the first stall, however short it is.
  @Test(.needsPressure) func aTriggerThatFiresBelowItsThresholdIsNotBelieved() throws {
    let rig = try Rig()
    let witness = try PressureWitness("/proc/pressure/io", "full 1990000 2000000")
    defer { witness.stop() }
    let collector = try rig.program("epoll-psi", ["--print", "--trigger", "io:full:1990ms/2s"])
    try eventually("it runs") { collector.log.contains { $0.contains("triggers: 1,") } }
    let file = rig.folder.appending(path: "written").path()
    let start = Date()
    try eventually("5 s of little I/O", within: 6) {
      let descriptor = open(file, O_WRONLY | O_CREAT, 0o600)
      write(descriptor, "x", 1)
      fsync(descriptor)
      close(descriptor)
      return Date().timeIntervalSince(start) > 5
    }
    print("the kernel fired", witness.fired.count, "times; records:", collector.output.count)
    #expect(collector.output == [])
    #expect(try collector.stop() == 0)
  }

  @Test(.needsPressure, .needsRoot, .needs("needs a memory cgroup") { MemoryLimit.isThere })
  func tasksThatWaitForMemoryAreTold() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let before = try Pressure.totals("/proc/pressure/memory")
    let collector = try rig.program("epoll-psi", ["--trigger", "memory:some:50ms/2s"])
    try eventually("the trigger is set") { collector.log.contains { $0.contains("triggers: 1,") } }
    let limit = try MemoryLimit(rig)
    try eventually("memory pressure arrives", within: 40) {
      !subscriber.messages(of: "/epoll-psi/memory").isEmpty
    }
    limit.stop()
    let after = try Pressure.totals("/proc/pressure/memory")
    let record = try #require(subscriber.messages(of: "/epoll-psi/memory").first)
    #expect(record.text("state") == "onset")
    #expect(
      try #require(before.some)...(#require(after.some)) ~= record.number("some_total_seconds")!)
    #expect(record.number("stall_seconds")! >= 0.05)
    try eventually("it is over", within: 20) {
      subscriber.messages(of: "/epoll-psi/memory").last?.text("state") == "over"
    }
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test(.needsPressure) func plainSamplesComeAtTheInterval() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program(
      "epoll-psi", ["--trigger", "none", "--interval", "200ms"])
    try eventually("eleven samples of each") {
      ["cpu", "memory", "io"].allSatisfy {
        subscriber.messages(of: "/epoll-psi/\($0)").count >= 11
      }
    }
    let times = subscriber.messages(of: "/epoll-psi/cpu").map { $0.number("time")! }
    #expect(abs(times[10] - times[0] - 2) < 0.1)
    let totals = subscriber.messages(of: "/epoll-psi/cpu").map { $0.number("some_total_seconds")! }
    #expect(totals == totals.sorted())
    #expect(
      subscriber.messages(of: "/epoll-psi/io").allSatisfy {
        $0.text("kind") == "pressure_sample"
      })
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  // MARK: What is missing or wrong

  @Test func aKernelWithoutPressureIsUnavailableAndSaysHowToGetIt() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let empty = rig.folder.appending(path: "empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    let collector = try rig.program("epoll-psi", ["--procfs", empty.path()])
    #expect(try collector.wait() == 69)
    let errors = collector.log.filter { $0.contains("error: ") }
    #expect(errors.count == 1)
    #expect(errors[0].contains("psi=1"))
    #expect(errors[0].contains("/boot/firmware/cmdline.txt"))
    try eventually("the status tells it") {
      let status = subscriber.messages(of: "/status").last
      return status?.text("epoll_psi_state") == "unavailable"
        && status?.text("epoll_psi_reason")?.contains("psi=1") == true
    }
    #expect(try rig.runProgram("epoll-psi", "--once", "--procfs", empty.path()).status == 69)
    #expect(try bridge.stop() == 0)
  }

  @Test func cpuFullIsRefusedForTheWholeSystem() throws {
    let rig = try Rig()
    let run = try rig.runProgram(
      "epoll-psi", "--trigger", "cpu:full", "--print", "--procfs", fixtures + "/linux-6.6-arm64")
    #expect(run.status == 69)
    #expect(
      run.log == [
        "epoll-psi: error: cpu:full says nothing about the whole system: it is for --cgroup"
      ])
  }

  @Test(arguments: [
    ["--trigger", "cpu:none:1s/2s"], ["--trigger", "cpu:some:2s/1s"], ["--trigger", "none"],
    ["--interval", "1ms"], ["--cgroup", "../etc"], ["--cgroup", "/"],
  ])
  func aMistakeIsOneLineAndStatus2(_ options: [String]) throws {
    let rig = try Rig()
    let run = try rig.run(
      Rig.command("epoll-psi", on: .amd64) + ["--config", "/dev/null"] + options)
    #expect(run.status == 2)
    #expect(run.log.count == 1)
    #expect(run.output == [])
  }

  /// The same state machine on files that the test writes: what is told, to the microsecond.
  @Test func aCopyIsFollowedThroughOnsetEndAndGarbage() throws {
    let rig = try Rig()
    let procfs = rig.folder.appending(path: "procfs")
    try FileManager.default.createDirectory(
      at: procfs.appending(path: "pressure"), withIntermediateDirectories: true)
    func write(_ total: Int, _ name: String = "memory") throws {
      let line = "avg10=0.00 avg60=0.00 avg300=0.00 total=\(1_000_000_000 + total)\n"
      // One write of always the same length: never half of it is read.
      let text = "some " + line + "full " + line
      let file = open(procfs.appending(path: "pressure/\(name)").path(), O_WRONLY | O_CREAT, 0o600)
      #expect(pwrite(file, text, text.utf8.count, 0) == text.utf8.count)
      ftruncate(file, off_t(text.utf8.count))
      close(file)
    }
    try write(0)
    try write(0, "cpu")
    let collector = try rig.program(
      "epoll-psi",
      ["--print", "--procfs", procfs.path(), "--trigger", "memory:full:100ms/200ms"])
    try eventually("it runs") { collector.log.contains { $0.contains("triggers: 1,") } }
    try write(5_000_000)
    try eventually("onset") { collector.output.count == 1 }
    try eventually("over") { collector.output.count == 2 }
    let file = try #require(
      FileHandle(forWritingAtPath: procfs.appending(path: "pressure/memory").path()))
    file.write(Data(String(repeating: "x", count: 200).utf8))
    try eventually("garbage is told") {
      collector.log.contains { $0.contains("/pressure/memory: line 1 does not end") }
    }
    try write(9_000_000)
    try eventually("onset and over again") { collector.output.count == 4 }
    let records = try collector.output.map(Message.init(printed:))
    #expect(records.map { $0.text("state") } == ["onset", "over", "onset", "over"])
    #expect(records.map { $0.number("stall_seconds") } == [5, 0, 4, 0])
    #expect(records[1].number("episode_stall_seconds") == 0)
    #expect(records[3].number("full_total_seconds") == 1009)
    #expect(records.allSatisfy { $0.flag("polled") == true })
    // Once for each time that it could not be read.
    #expect(collector.log.count { $0.contains("/pressure/memory: line") } == 1)
    #expect(try collector.stop() == 0)
  }
}
