import Records
import TestSupport
import Testing

@testable import cyclic_file_read

/// Whatever the files hold: a parser refuses it or makes a record of it that can be sent and read.
struct MutationTests {
  /// Replaces, inserts, removes and repeats parts of a capture, and calls `parse` with the result.
  private func mutate(
    _ original: [UInt8], seed: UInt64, count: Int = 20_000, _ parse: ([UInt8]) throws -> Void
  ) throws {
    var random = SeededNumbers(seed: seed)
    let original = Array(original.prefix(6000))
    // What is likely to hit a branch, more often than any byte.
    let likely = Array("0123456789 \n\t:-.cpuTI\0".utf8) + [0xFF, 0x80]
    for round in 0..<count {
      var bytes = original
      for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let byte = likely.randomElement(using: &random)!
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] = byte
        case 1: bytes[place] = .random(in: 0...255, using: &random)
        case 2: bytes.insert(byte, at: place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int(byte)))
        case 4: bytes.removeSubrange(place...)
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 30)], at: place)
        }
      }
      do {
        try parse(bytes)
      } catch is ParseError {
        continue
      } catch {
        Issue.record("seed \(seed), round \(round): \(error)")
        return
      }
    }
  }

  /// The record comes back as it was, which also holds that it is not too long.
  private func expectRoundTrip<Body: RecordBody>(_ body: Body) throws {
    var body = body
    var header = RecordHeader(instance: 1)
    var bytes: [UInt8] = []
    header.encode(&body, into: &bytes)
    try #require(bytes.count <= RecordHeader.maximumRecordSize)
    try #require(Record(decoding: bytes, count: bytes.count).kind == Body.kind)
  }

  @Test(arguments: Capture.all) func stat(_ capture: Capture) throws {
    try mutate(capture.bytes("proc/stat"), seed: 32, count: 5000) { bytes in
      for line in lines(of: bytes) {
        if let times = try? CPUTimes(of: line) {
          try expectRoundTrip(times)
          try #require(times.cpu.count > 0)
        }
      }
      try expectRoundTrip(CPUActivity(of: bytes))
    }
  }

  @Test(arguments: Capture.all) func meminfo(_ capture: Capture) throws {
    try mutate(capture.bytes("proc/meminfo"), seed: 35, count: 5000) {
      try expectRoundTrip(Memory(of: $0))
    }
  }

  @Test(arguments: Capture.all) func vmstat(_ capture: Capture) throws {
    try mutate(capture.bytes("proc/vmstat"), seed: 36, count: 5000) {
      try expectRoundTrip(PageActivity(of: $0))
    }
  }

  @Test(arguments: Capture.all + [.hostile]) func interfaces(_ capture: Capture) throws {
    try mutate(capture.bytes("proc/net/dev"), seed: 37, count: 5000) { bytes in
      let length = try headingLength(of: bytes)
      for line in lines(of: Array(bytes[min(length, bytes.count)...])) {
        guard let interface = try? NetworkInterface(of: line) else { continue }
        try #require(interface.interface.count > 0)
        try expectRoundTrip(interface)
      }
    }
  }

  @Test(arguments: ["sockstat", "sockstat6", "snmp"]) func sockets(_ file: String) throws {
    try mutate(Capture.raspberryPi4.bytes("proc/net/\(file)"), seed: 38) { bytes in
      var sockets = Sockets()
      if file == "snmp" {
        try sockets.take(counters: bytes)
      } else {
        try sockets.take(usage: bytes)
      }
      try expectRoundTrip(sockets)
    }
  }

  @Test(arguments: [Capture.raspberryPi4, .oldPC]) func wireless(_ capture: Capture) throws {
    try mutate(capture.bytes("proc/net/wireless"), seed: 39, count: 10_000) { bytes in
      for line in lines(of: bytes) {
        if let wireless = try? Wireless(of: line) { try expectRoundTrip(wireless) }
      }
    }
  }
}
