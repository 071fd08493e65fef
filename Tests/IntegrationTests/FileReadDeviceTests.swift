import Foundation
import Testing

/// cyclic-file-read as built for the device: disks, file systems, processes, sensors, a Pi's firmware.
struct FileReadDeviceTests {
  private static let fixtures = Machine.packageRoot
    .appending(path: "Tests/Fixtures/cyclic-file-read")

  // MARK: Captures of other machines

  private func records(sysfs: String, on architecture: Rig.Architecture = .amd64) throws
    -> [String: [[String: Any]]]
  {
    let rig = try Rig()
    let result = try rig.runProgram(
      "cyclic-file-read", "--once", "--procfs", "/nonexistent", "--sysfs",
      Self.fixtures.appending(path: sysfs).path(), on: architecture)
    #expect(result.status == 0, "\(result.log)")
    return Dictionary(grouping: result.output.compactMap(members)) { $0["kind"] as! String }
  }

  @Test(arguments: Rig.Architecture.allCases)
  func theFirmwareOfARaspberryPi4(_ architecture: Rig.Architecture) throws {
    let records = try records(sysfs: "raspberry-pi/pi-4-own-kernel", on: architecture)
    let record = try #require(records["raspberry_pi"]?.first)
    for (name, value) in [
      ("under_voltage", true), ("frequency_capped", false), ("throttled", true),
      ("soft_temperature_limit", false), ("under_voltage_occurred", true),
      ("frequency_capped_occurred", false), ("throttled_occurred", true),
      ("soft_temperature_limit_occurred", false), ("supply_alarm", true),
    ] {
      #expect(record[name] as? Bool == value, "\(name)")
    }
    let zone = try #require(records["thermal_zone"]?.first)
    #expect(zone["type"] as? String == "cpu-thermal")
    #expect(zone["temperature_celsius"] as? Double == 52.095)
  }

  @Test func theFirmwareOfARaspberryPi5IsFoundByItsDriver() throws {
    let record = try #require(
      records(sysfs: "raspberry-pi/pi-5-own-kernel")["raspberry_pi"]?.first)
    #expect(record["soft_temperature_limit"] as? Bool == true)
    #expect(record["under_voltage"] as? Bool == false)
    #expect(record["frequency_capped_occurred"] as? Bool == true)
    #expect(record["supply_alarm"] == nil)
  }

  @Test func aMainlineKernelHasTheAlarmAlone() throws {
    let record = try #require(
      records(sysfs: "raspberry-pi/pi-3-mainline-kernel")["raspberry_pi"]?.first)
    #expect(record["supply_alarm"] as? Bool == false)
    #expect(record["under_voltage"] == nil)
  }

  @Test func onlyCardsThatTellTheirWearHaveARecord() throws {
    let records = try records(sysfs: "flash-wear/cm4-emmc-and-sd-card")
    let wear = Dictionary(
      uniqueKeysWithValues: records["flash_wear", default: []].map { ($0["device"] as! String, $0) }
    )
    #expect(wear.keys.sorted() == ["mmcblk0", "mmcblk2"])
    let worn = try #require(wear["mmcblk0"])
    #expect(worn["card_name"] as? String == "BJTD4R")
    #expect(worn["life_used_a_ratio"] as? Double == 0.1)
    #expect(worn["life_used_b_ratio"] as? Double == 1.1)
    #expect(worn["pre_eol"] as? String == "warning")
    #expect(wear["mmcblk2"]?["life_used_a_ratio"] == nil)
    #expect(wear["mmcblk2"]?["pre_eol"] as? String == "unknown")
  }

  @Test(arguments: Rig.Architecture.allCases)
  func hostileNamesOfProcessesMakeValidJSON(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let result = try rig.runProgram(
      "cyclic-file-read", "--once", "--process-count", "20", "--procfs",
      Self.fixtures.appending(path: "processes/armv7l-raspberry-pi").path(), "--sysfs",
      "/nonexistent", on: architecture)
    #expect(result.status == 0)
    let processes = result.output.map(members).filter { $0?["kind"] as? String == "process" }
    let names = Dictionary(
      uniqueKeysWithValues: try processes.map { record in
        let record = try #require(record)
        return (try #require(record["pid"] as? Int), try #require(record["name"] as? String))
      })
    // 45 and 500 use neither CPU time nor memory that counts; 900 ended.
    #expect(
      names == [
        1: "systemd", 2: "kthreadd", 45: "kworker/3:1H-kblockd", 97: "mmcqd/0", 412: "a b) c)",
        413: ") R 1 1 1 0", 501: "\u{FFFD}\u{FFFD}\n(x", 777: "stopped",
      ])
    let process = try #require(processes.compactMap { $0 }.first { $0["pid"] as? Int == 412 })
    #expect(process["start_seconds"] as? Double == 18.02)
    #expect(process["cpu_user_seconds"] as? Double == 47.11)
    #expect(process["memory_resident_bytes"] as? Int == 8204 * 4096)
    #expect(process["read_bytes"] as? Int == 2_097_152)
    #expect(process["cpu_ratio"] == nil)
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func eachRecordArrivesUnderItsTopic() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let procfs = rig.folder.appending(path: "proc")
    try FileManager.default.copyItem(
      at: Self.fixtures.appending(path: "processes/armv7l-raspberry-pi"), to: procfs)
    for (file, name) in [
      ("disks/linux-4.9-armv7l-raspberry-pi", "diskstats"),
      ("mounts/sandboxed-unit", "self/mountinfo"),
    ] {
      try FileManager.default.copyItem(
        at: Self.fixtures.appending(path: file), to: procfs.appending(path: name))
    }
    let collector = try rig.program(
      "cyclic-file-read",
      [
        "--interval", "1h", "--procfs", procfs.path(), "--sysfs",
        Self.fixtures.appending(path: "raspberry-pi/pi-4-own-kernel").path(),
      ])
    let prefix = "stats/\(rig.name)/cyclic-file-read/"
    let expected: Set<String> = [
      "disk/mmcblk0", "disk/mmcblk0p1", "disk/mmcblk0p2", "disk/sda", "file_system/_",
      "process_counts", "process/412", "process/501", "temperature/cpu-thermal", "raspberry_pi",
    ]
    func topics() -> Set<String> {
      Set(subscriber.messages.map { String($0.topic.dropFirst(prefix.count)) })
    }
    try eventually("all topics: \(expected.subtracting(topics()))") {
      expected.isSubset(of: topics())
    }
    #expect(!topics().contains { $0.hasPrefix("disk/ram") || $0.hasPrefix("disk/loop") })
    #expect(subscriber.messages(of: "/disk/mmcblk0").last?.integer("read_bytes") == 730_678_272)
    #expect(subscriber.messages(of: "/process/501").last?.text("state") == "zombie")
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  // MARK: Sensors

  @Test(.needsRoot, .needs(command: "sensors"), .needs(command: "unshare"))
  func sensorsAreThoseOfLmSensors() throws {
    let rig = try Rig()
    let program = try Rig.command("cyclic-file-read", on: .amd64).joined(separator: " ")
    // libsensors insists on a real /sys, of which a folder can be covered.
    let result = try rig.run(
      try inMounts(
        """
        mount -t tmpfs none /sys/class
        \(try chips())
        sensors -j; echo separator
        \(program) --config /dev/null --once --procfs /nonexistent
        """))
    #expect(result.status == 0, "\(result.log)")
    let separator = try #require(result.output.firstIndex(of: "separator"))
    let witness = try #require(members(result.output[..<separator].joined()))
    let own = result.output[separator...].compactMap(members)
      .filter { $0["kind"] as? String == "sensor" }
    var matched = 0
    for (chip, features) in witness {
      for (label, values) in try #require(features as? [String: Any]) where label != "Adapter" {
        let record = try #require(
          own.first { $0["chip"] as? String == chip && $0["label"] as? String == label },
          "\(chip) \(label)")
        matched += 1
        for (name, value) in try #require(values as? [String: Double]) {
          guard let key = Self.key(of: name, of: record) else { continue }
          let found = try #require(record[key] as? NSNumber, "\(chip) \(label) \(key)").doubleValue
          let scale = record["quantity"] as? String == "humidity" ? 100.0 : 1.0
          // sensors(1) prints three decimals.
          #expect(abs(found * scale - value) < 0.0006, "\(chip) \(label) \(name)")
        }
      }
    }
    #expect(matched == own.count)
    #expect(matched == 12)
  }

  /// Our key of what `sensors -j` calls `temp1_crit_alarm`.
  private static func key(of name: String, of record: [String: Any]) -> String? {
    let part = name.split(separator: "_", maxSplits: 1).last.map(String.init) ?? ""
    if name.hasPrefix("intrusion") { return part == "alarm" ? "value" : nil }
    // Of two values the average is told, as sensors(1) does.
    if name == "power1_input" { return nil }
    return [
      "input": "value", "average": "value", "min": "min", "max": "max", "crit": "critical_max",
      "lcrit": "critical_min", "alarm": "alarm", "min_alarm": "min_alarm",
      "max_alarm": "max_alarm", "crit_alarm": "critical_max_alarm",
      "lcrit_alarm": "critical_min_alarm", "fault": "fault",
    ][part]
  }

  /// Shell commands that make three chips.
  private func chips() throws -> String {
    let files: [(String, [String: String])] = [
      (
        "hwmon0",
        [
          "name": "cpu_thermal", "temp1_input": "48312", "temp1_crit": "110000",
          "temp1_crit_alarm": "0", "temp1_label": "CPU die", "temp2_input": "-5125",
          "temp2_fault": "1",
        ]
      ),
      ("hwmon1", ["name": "rpi_volt", "in0_lcrit_alarm": "1"]),
      (
        "hwmon2",
        [
          "name": "nct6798", "in0_input": "1104", "in0_min": "0", "in0_max": "1744",
          "in0_alarm": "0", "in3_input": "3312", "in3_label": "Vbat", "fan1_input": "1182",
          "fan1_min": "600", "fan1_alarm": "0", "fan2_input": "0", "fan2_min": "300",
          "fan2_alarm": "1", "power1_average": "15250000", "power1_input": "14000000",
          "power1_max": "65000000", "energy1_input": "1234567890", "curr1_input": "2145",
          "curr1_max": "3000", "curr1_max_alarm": "0", "humidity1_input": "45123",
          "intrusion0_alarm": "1",
        ]
      ),
    ]
    return files.map { chip, values in
      let folder = "/sys/class/hwmon/\(chip)"
      return "mkdir -p \(folder)\n"
        + values.map { "echo '\($1)' >\(folder)/\($0)" }.joined(separator: "\n")
    }.joined(separator: "\n")
  }

  @Test(.needsRoot, .needs(command: "unshare"))
  func chipsThatComeAndGoAreNoticed() throws {
    let rig = try Rig()
    let program = try Rig.command("cyclic-file-read", on: .amd64).joined(separator: " ")
    let steps = rig.folder.appending(path: "step").path()
    let collector = try ChildProcess(
      try inMounts(
        """
        mount -t tmpfs none /sys/class
        mkdir -p /sys/class/hwmon
        \(program) --config /dev/null --print --procfs /nonexistent --interval 1h \
          --sensors-interval 50ms &
        until [ -e \(steps)1 ]; do sleep 0.02; done
        \(try chips())
        until [ -e \(steps)2 ]; do sleep 0.02; done
        rm -r /sys/class/hwmon/hwmon2
        until [ -e \(steps)3 ]; do sleep 0.02; done
        kill -TERM $!; wait $!
        """), name: "cyclic-file-read", in: rig.folder)
    func touch(_ step: Int) throws { try Data().write(to: URL(filePath: "\(steps)\(step)")) }
    try touch(1)
    try eventually("the chips are there") {
      collector.log.contains { $0.contains("3 sensor chips with 12 features") }
    }
    try eventually("and have records") { collector.output.contains { $0.contains("nct6798") } }
    try touch(2)
    try eventually("one is gone") {
      collector.log.contains { $0.contains("2 sensor chips with 3 features") }
    }
    try touch(3)
    #expect(try collector.wait() == 0)
  }

  // MARK: File systems

  @Test(.needsRoot, .needs(command: "unshare"), .needs(command: "mkfs.ext4"))
  func fileSystemsAgreeWithDf() throws {
    let rig = try Rig()
    let program = try Rig.command("cyclic-file-read", on: .amd64).joined(separator: " ")
    let image = rig.folder.appending(path: "image").path()
    let point = rig.folder.appending(path: "My Stick\\ #ä").path(percentEncoded: false)
    let other = rig.folder.appending(path: "a much longer path to the same").path(
      percentEncoded: false)
    let result = try rig.run(
      try inMounts(
        """
        truncate -s 64M \(image)
        mkfs.ext4 -q -m 10 \(image)
        mkdir -p '\(point)' '\(other)'
        mount -o loop \(image) '\(point)'
        mount --bind '\(point)' '\(other)'
        head -c 5000000 /dev/zero >'\(point)/file'
        sync -f '\(point)'
        mount -o remount,ro '\(point)'
        df -B1 --output=size,used,avail,itotal,iavail,iused '\(point)' | tail -n 1
        \(program) --config /dev/null --once --sysfs /nonexistent
        """))
    #expect(result.status == 0, "\(result.log)")
    let df = try #require(result.output.first).split(separator: " ").map { Int($0)! }
    let records = result.output.compactMap(members).filter {
      $0["kind"] as? String == "file_system"
    }
    let loops = records.filter { ($0["device"] as? String)?.hasPrefix("/dev/loop") == true }
    #expect(loops.count == 1, "each file system once")
    let own = try #require(loops.first)
    #expect(own["mount_point"] as? String == point)
    #expect(own["type"] as? String == "ext4")
    #expect(own["read_only"] as? Bool == true)
    #expect(own["answering"] as? Bool == true)
    func integer(_ name: String) throws -> Int { try #require(own[name] as? Int, "\(name)") }
    #expect(try integer("size_bytes") == df[0])
    #expect(try integer("size_bytes") - integer("free_bytes") == df[1])
    #expect(try integer("available_bytes") == df[2])
    #expect(try integer("free_bytes") > integer("available_bytes"))
    #expect(try integer("inode_count") == df[3])
    #expect(try integer("free_inode_count") == df[4])
    #expect(!records.contains { $0["type"] as? String == "proc" })
  }

  /// A file system whose server says hello and then nothing: statfs(2) never returns, and its
  /// caller cannot even be killed.
  @Test(
    .needsRoot, .needs(command: "unshare"), .needs(command: "python3"),
    .needs("needs /dev/fuse: modprobe fuse") {
      FileManager.default.fileExists(atPath: "/dev/fuse")
    })
  func aFileSystemThatDoesNotAnswerHoldsNobodyUp() throws {
    let rig = try Rig()
    let program = try Rig.command("cyclic-file-read", on: .amd64).joined(separator: " ")
    let server = Machine.packageRoot.appending(path: "Tests/Tools/silent_fuse.py").path()
    let point = rig.folder.appending(path: "share").path()
    let step = rig.folder.appending(path: "step").path()
    let collector = try ChildProcess(
      try inMounts(
        """
        mkdir \(point)
        python3 \(server) \(point) \(step) &
        server=$!
        until mountpoint -q \(point); do sleep 0.02; done
        \(program) --config /dev/null --print --sysfs /nonexistent --interval 1h \
          --memory-interval 50ms --file-systems-interval 100ms &
        collector=$!
        until [ -e \(step)-end ]; do sleep 0.02; done
        kill -TERM $collector
        wait $collector
        status=$?
        kill $server
        exit $status
        """), name: "cyclic-file-read", in: rig.folder)
    func share() -> [[String: Any]] {
      collector.output.compactMap(members).filter { $0["mount_point"] as? String == point }
    }
    func kinds(_ kind: String) -> [[String: Any]] {
      collector.output.compactMap(members).filter { $0["kind"] as? String == kind }
    }
    try eventually("it answers at first") { share().last?["answering"] as? Bool == true }
    #expect(share().last?["size_bytes"] as? Int == 4_096_000)
    #expect(share().last?["available_bytes"] as? Int == 1_638_400)
    #expect(share().last?["device"] as? String == "silent:/share")

    try Data().write(to: URL(filePath: "\(step)-silent"))
    try eventually("it does not answer") { share().last?["answering"] as? Bool == false }
    #expect(share().last?["size_bytes"] == nil)
    let (answers, memory) = (share().count, kinds("memory").count)
    try eventually("both go on") {
      share().count >= answers + 10 && kinds("memory").count >= memory + 20
    }
    // One child waits, and no second one.
    let times = share().suffix(10).map { $0["time"] as! Double }
    #expect(times.last! - times.first! < 3)
    #expect(collector.log.count { $0.contains("no answer within 500ms") } == 1)
    let root = kinds("file_system").filter { $0["mount_point"] as? String == "/" }
    #expect(root.count >= answers + 10)

    try Data().write(to: URL(filePath: "\(step)-speaks"))
    try eventually("it answers again") { share().last?["answering"] as? Bool == true }
    try eventually("and that is told") {
      collector.log.contains { $0.contains("answers again") }
    }
    try FileManager.default.removeItem(atPath: "\(step)-speaks")
    try eventually("silence again") { share().last?["answering"] as? Bool == false }
    // It ends at once though a child of its own cannot end.
    let asked = Date()
    try Data().write(to: URL(filePath: "\(step)-end"))
    #expect(try collector.wait() == 0)
    #expect(Date().timeIntervalSince(asked) < 5)
  }

  /// A shell in mounts of its own, which go with it.
  private func inMounts(_ script: String) throws -> [String] {
    [
      try #require(Machine.command("unshare")), "--mount", "--propagation", "private", "sh", "-ec",
      script,
    ]
  }
}
