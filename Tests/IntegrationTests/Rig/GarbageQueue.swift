import CLinux
import Foundation
import Records
import Testing

/// A writer into a queue that is none of our programs: for floods, and for what is no record.
final class GarbageQueue {
  private let descriptor: mqd_t

  init(_ name: String, blocking: Bool = false) throws {
    descriptor = clinux_mq_open(name, O_WRONLY | (blocking ? 0 : O_NONBLOCK), 0, nil)
    #expect(descriptor >= 0, "mq_open \(name): \(String(cString: strerror(errno)))")
  }

  deinit { mq_close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    #expect(
      clinux_mq_send(descriptor, bytes, bytes.count) == 0,
      "mq_send: \(String(cString: strerror(errno)))")
  }

  /// A well-formed record of any kind and body.
  static func record(kind: UInt16, body: [UInt8]) -> [UInt8] {
    var bytes = sample(sequence: 0)
    bytes.replaceSubrange(
      8..<12,
      with: [
        UInt8(kind & 255), UInt8(kind >> 8), UInt8(body.count & 255), UInt8(body.count >> 8),
      ])
    return bytes.prefix(RecordHeader.encodedSize) + body
  }

  /// A record whose clocks are as they are now, so that no step is seen between them.
  static func recentSample(sequence: Int) -> [UInt8] {
    var bytes = sample(sequence: sequence)
    for (offset, clock) in [(40, CLOCK_BOOTTIME), (48, CLOCK_REALTIME)] {
      var time = timespec()
      clock_gettime(clock, &time)
      let nanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
      withUnsafeBytes(of: nanoseconds.littleEndian) {
        bytes.replaceSubrange(offset..<(offset + 8), with: $0)
      }
    }
    return bytes
  }

  /// A record as cyclic-sysinfo sends it.
  static func sample(sequence: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var header = RecordHeader(
      instance: 1, sequence: UInt64(sequence), bootTimeNanoseconds: 1_000_000_000,
      realTimeNanoseconds: 1_795_229_000_512_345_678)
    var body = SystemInformation()
    body.uptimeSeconds = 1
    body.load1TenThousandths = 153
    header.encode(&body, into: &bytes)
    return bytes
  }
}
