import Foundation
import Testing

/// cyclic-file-read as built for the device, against other programs that read the same kernel.
struct FileReadTruthTests {
  @Test(.needsPsutil) func countersAgreeWithPsutil() throws {
    let rig = try Rig()
    let before = try Sample(rig)
    let witness = try psutil(rig)
    let after = try Sample(rig)

    /// What psutil read between the two samples lies between them.
    func expect(
      _ kind: String, _ name: String, of thing: (String, String)? = nil, _ value: Any?,
      slack: Double = 0, line: Int = #line
    ) throws {
      let value = try #require((value as? NSNumber)?.doubleValue, "\(name)")
      let low = try before.number(kind, name, thing) - slack
      let high = try after.number(kind, name, thing) + slack
      #expect(
        low <= value && value <= high, "\(thing?.1 ?? "") \(name): \(low) <= \(value) <= \(high)",
        sourceLocation: SourceLocation(
          fileID: #fileID, filePath: #filePath, line: line, column: 1))
    }

    let times = try #require(witness["cpu_times"] as? [String: [String: Any]])
    #expect(times.count == before.records["cpu_times"]?.count)
    for (cpu, time) in times {
      for (name, key) in [
        ("user_seconds", "user"), ("nice_seconds", "nice"), ("system_seconds", "system"),
        ("idle_seconds", "idle"), ("iowait_seconds", "iowait"), ("interrupt_seconds", "irq"),
        ("soft_interrupt_seconds", "softirq"), ("steal_seconds", "steal"),
        ("guest_seconds", "guest"), ("guest_nice_seconds", "guest_nice"),
      ] {
        // The kernel computes idle and iowait anew at each reading; they can go back by a tick.
        try expect("cpu_times", name, of: ("cpu", cpu), time[key], slack: 0.02)
      }
    }
    let activity = try #require(witness["cpu_stats"] as? [String: Any])
    try expect("cpu_activity", "context_switches", activity["ctx_switches"])
    try expect("cpu_activity", "interrupts", activity["interrupts"])
    try expect("cpu_activity", "soft_interrupts", activity["soft_interrupts"])
    try expect("cpu_activity", "boot_time_seconds", witness["boot_time"], slack: 1)

    let memory = try #require(witness["virtual_memory"] as? [String: Any])
    try expect("memory", "memory_total_bytes", memory["total"])
    // Gauges go up and down between the readings.
    let slack = 200e6
    try expect("memory", "memory_free_bytes", memory["free"], slack: slack)
    try expect("memory", "memory_available_bytes", memory["available"], slack: slack)
    try expect("memory", "memory_buffer_bytes", memory["buffers"], slack: slack)
    try expect("memory", "memory_shared_bytes", memory["shared"], slack: slack)
    try expect("memory", "memory_slab_bytes", memory["slab"], slack: slack)
    let cached = try #require((memory["cached"] as? NSNumber)?.doubleValue)
    let ownCached =
      try before.number("memory", "memory_cached_bytes")
      + before.number("memory", "memory_slab_reclaimable_bytes")
    #expect(abs(cached - ownCached) < slack)
    let swap = try #require(witness["swap_memory"] as? [String: Any])
    try expect("memory", "swap_total_bytes", swap["total"])
    try expect("memory", "swap_free_bytes", swap["free"], slack: slack)

    let interfaces = try #require(witness["net_io_counters"] as? [String: [String: Any]])
    #expect(Set(interfaces.keys) == Set(before.things("network_interface", "interface")))
    for (name, counters) in interfaces {
      for (own, key) in [
        ("receive_bytes", "bytes_recv"), ("receive_packets", "packets_recv"),
        ("receive_errors", "errin"), ("receive_dropped", "dropin"),
        ("transmit_bytes", "bytes_sent"), ("transmit_packets", "packets_sent"),
        ("transmit_errors", "errout"), ("transmit_dropped", "dropout"),
      ] {
        try expect("network_interface", own, of: ("interface", name), counters[key])
      }
    }
  }

  @Test(.needs(command: "ip")) func interfacesAgreeWithIpLink() throws {
    let rig = try Rig()
    let before = try Sample(rig)
    let ip = try #require(Machine.command("ip"))
    let answer = try rig.run([ip, "-j", "-s", "-s", "link"]).output.joined()
    let after = try Sample(rig)
    let links = try #require(
      JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [[String: Any]])
    #expect(links.count == before.records["network_interface"]?.count)
    for link in links {
      let name = try #require(link["ifname"] as? String)
      let thing = ("interface", name)
      let statistics = try #require(link["stats64"] as? [String: [String: NSNumber]])
      let (rx, tx) = (statistics["rx"]!, statistics["tx"]!)
      /// The sums are those of dev_seq_printf_stats() in the kernel's net/core/net-procfs.c.
      func expect(_ own: String, _ parts: [NSNumber?]) throws {
        let sum = try parts.reduce(0) { try $0 + #require($1).intValue }
        let low = Int(try before.number("network_interface", own, thing))
        let high = Int(try after.number("network_interface", own, thing))
        #expect((low...max(low, high)).contains(sum), "\(name) \(own)")
      }
      try expect("receive_bytes", [rx["bytes"]])
      try expect("receive_packets", [rx["packets"]])
      try expect("receive_errors", [rx["errors"]])
      try expect("receive_dropped", [rx["dropped"], rx["missed_errors"]])
      try expect("receive_fifo_errors", [rx["fifo_errors"]])
      try expect(
        "receive_frame_errors",
        [rx["length_errors"], rx["over_errors"], rx["crc_errors"], rx["frame_errors"]])
      try expect("receive_multicast", [rx["multicast"]])
      try expect("transmit_bytes", [tx["bytes"]])
      try expect("transmit_packets", [tx["packets"]])
      try expect("transmit_errors", [tx["errors"]])
      try expect("transmit_dropped", [tx["dropped"]])
      try expect("transmit_fifo_errors", [tx["fifo_errors"]])
      try expect("transmit_collisions", [tx["collisions"]])
      try expect(
        "transmit_carrier_errors",
        [
          tx["carrier_errors"], tx["aborted_errors"], tx["window_errors"], tx["heartbeat_errors"],
        ])
      try expect("carrier_changes", [tx["carrier_changes"]])
      let state = try #require(link["operstate"] as? String)
      #expect(try before.text("network_interface", "state", thing) == state.lowercased())
    }
  }

  @Test(.needs(command: "nstat")) func protocolCountersAgreeWithNstat() throws {
    let rig = try Rig()
    let before = try Sample(rig)
    let nstat = try #require(Machine.command("nstat"))
    // Absolute values, with zeros, and without its file of the last ones.
    let answer = try rig.run([nstat, "-a", "-s", "-j", "-z"]).output.joined()
    let after = try Sample(rig)
    let object = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
    let counters = try #require(object?["kernel"] as? [String: NSNumber])
    for (own, name) in [
      ("ip_received_packets", "IpInReceives"), ("ip_delivered_packets", "IpInDelivers"),
      ("ip_requested_packets", "IpOutRequests"), ("ip_receive_discards", "IpInDiscards"),
      ("ip_transmit_discards", "IpOutDiscards"), ("tcp_active_opens", "TcpActiveOpens"),
      ("tcp_passive_opens", "TcpPassiveOpens"), ("tcp_failed_attempts", "TcpAttemptFails"),
      ("tcp_established_resets", "TcpEstabResets"), ("tcp_received_segments", "TcpInSegs"),
      ("tcp_sent_segments", "TcpOutSegs"), ("tcp_retransmitted_segments", "TcpRetransSegs"),
      ("tcp_receive_errors", "TcpInErrs"), ("tcp_sent_resets", "TcpOutRsts"),
      ("udp_received_datagrams", "UdpInDatagrams"), ("udp_sent_datagrams", "UdpOutDatagrams"),
      ("udp_no_port", "UdpNoPorts"), ("udp_receive_errors", "UdpInErrors"),
      ("udp_receive_buffer_errors", "UdpRcvbufErrors"),
      ("udp_send_buffer_errors", "UdpSndbufErrors"),
    ] {
      let value = try #require(counters[name], "\(name)").intValue
      let low = Int(try before.number("sockets", own))
      let high = Int(try after.number("sockets", own))
      #expect((low...max(low, high)).contains(value), "\(own)")
    }
  }

  @Test func socketsThatAreOpenedAreCounted() throws {
    let rig = try Rig()
    let before = try Sample(rig)
    let sockets = (0..<100).map { _ in
      let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      return descriptor
    }
    let after = try Sample(rig)
    sockets.forEach { close($0) }
    // Others open and close sockets meanwhile, but not many.
    let grown = try after.number("sockets", "udp_in_use") - before.number("sockets", "udp_in_use")
    #expect((90...110).contains(grown))
  }

  @Test(.needsRoot, .needs(command: "ip"), .needs(command: "nsenter"))
  func interfacesComeAndGoWithAnyName() throws {
    let rig = try Rig()
    let program = try Rig.command("cyclic-file-read", on: .amd64).joined(separator: " ")
    let unshare = try #require(Machine.command("unshare"))
    let process = try ChildProcess(
      [
        unshare, "--net", "--mount", "sh", "-c",
        "mount -t sysfs sysfs /sys && exec \(program) --config /dev/null --print "
          + "--cpu-interval off --memory-interval off --network-interval 50ms",
      ], name: "cyclic-file-read", in: rig.folder)
    let nsenter = try #require(Machine.command("nsenter"))
    func ip(_ arguments: String...) throws {
      let result = try rig.run([nsenter, "-t", "\(process.id)", "-n", "ip", "link"] + arguments)
      #expect(result.status == 0, "\(result.log)")
    }
    func last(_ interface: String) -> [String: Any]? {
      process.output.compactMap(members).last { $0["interface"] as? String == interface }
    }
    func sockets() -> Int { process.output.count { $0.contains("\"kind\":\"sockets\"") } }

    try eventually("lo") { last("lo") != nil }
    let name = "a\"b\\+#\u{1}é"
    try ip("add", "name", name, "type", "veth", "peer", "name", "peer")
    try eventually("the new interface") { last(name)?["state"] as? String == "down" }
    try ip("set", name, "up")
    try ip("set", "peer", "up")
    try eventually("it is up") { last(name)?["state"] as? String == "up" }
    #expect((last(name)?["speed_bits_per_second"] as? NSNumber)?.int64Value == 10_000_000_000)
    let changes = try #require((last(name)?["carrier_changes"] as? NSNumber)?.intValue)
    #expect(changes > 0)

    // While nobody looks, another device takes the name: the open files are those of the old one.
    process.send(SIGSTOP)
    try ip("delete", name)
    try ip("add", "name", name, "type", "veth", "peer", "name", "peer")
    process.send(SIGCONT)
    try eventually("the other device") { last(name)?["state"] as? String == "down" }
    #expect(last(name)?["speed_bits_per_second"] == nil)

    try ip("delete", name)
    try eventually("it is gone") {
      let samples = sockets()
      let records = process.output.count { members($0)?["interface"] as? String == "peer" }
      return samples > 10 && records < samples - 5
    }
    // One that was forgotten meanwhile.
    try ip("add", "name", name, "type", "veth", "peer", "name", "peer")
    try eventually("it is there again, and down") { last(name)?["state"] as? String == "down" }
    #expect(try process.stop() == 0)
  }
}

/// One sample of all groups, as `--once` prints it.
private struct Sample {
  /// The members of each record, by kind.
  let records: [String: [[String: Any]]]

  init(_ rig: Rig) throws {
    let result = try rig.runProgram("cyclic-file-read", "--once")
    #expect(result.status == 0)
    records = Dictionary(grouping: result.output.compactMap(members)) { $0["kind"] as! String }
  }

  func number(_ kind: String, _ name: String, _ thing: (String, String)? = nil) throws -> Double {
    try #require(record(kind, thing)[name] as? NSNumber, "\(kind) \(name)").doubleValue
  }

  func text(_ kind: String, _ name: String, _ thing: (String, String)) throws -> String {
    try #require(record(kind, thing)[name] as? String)
  }

  func things(_ kind: String, _ name: String) -> [String] {
    records[kind, default: []].map { $0[name] as! String }
  }

  private func record(_ kind: String, _ thing: (String, String)?) throws -> [String: Any] {
    try #require(
      records[kind, default: []].first {
        thing == nil || $0[thing!.0] as? String == thing!.1
      }, "\(kind) \(thing?.1 ?? "")")
  }
}

// MARK: psutil

extension Trait where Self == ConditionTrait {
  static var needsPsutil: Self {
    .needs("needs psutil in \(pythonFolder), where ./build.sh test installs it") {
      let library = pythonFolder + "/lib"
      let versions = try? FileManager.default.contentsOfDirectory(atPath: library)
      return versions?.contains {
        FileManager.default.fileExists(atPath: "\(library)/\($0)/site-packages/psutil")
      } ?? false
    }
  }
}

/// The Python of the cache that build.sh keeps.
let pythonFolder: String = {
  let environment = ProcessInfo.processInfo.environment
  let home = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
  return (environment["STATS_CACHE"] ?? "\(home)/stats-recording") + "/python"
}()

/// What psutil says of this machine now.
private func psutil(_ rig: Rig) throws -> [String: Any] {
  let script = """
    import json, psutil
    times = {str(n): t._asdict() for n, t in enumerate(psutil.cpu_times(percpu=True))}
    times["total"] = psutil.cpu_times()._asdict()
    print(json.dumps({
      "cpu_times": times,
      "cpu_stats": psutil.cpu_stats()._asdict(),
      "boot_time": psutil.boot_time(),
      "virtual_memory": psutil.virtual_memory()._asdict(),
      "swap_memory": psutil.swap_memory()._asdict(),
      "net_io_counters": {
        n: c._asdict() for n, c in psutil.net_io_counters(pernic=True, nowrap=False).items()},
    }))
    """
  return try runPython(script, in: rig)
}

/// The object that a script prints as JSON.
func runPython(_ script: String, in rig: Rig) throws -> [String: Any] {
  let result = try rig.run([pythonFolder + "/bin/python3", "-c", script])
  #expect(result.status == 0, "\(result.log)")
  return try #require(members(result.output.joined()))
}
