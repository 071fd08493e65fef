import Foundation
import Records
import Linux
import TestSupport
import Testing

@testable import cyclic_file_read

struct DiskTests {
  private func disks(_ file: String) throws -> [Disk] {
    try Fixture.lines("disks/\(file)").map { try Disk(of: $0) }
  }

  @Test func kernelsBefore418HaveNoDiscards() throws {
    let disks = try disks("linux-4.9-armv7l-raspberry-pi")
    #expect(disks.count == 7)
    let card = disks[3]
    #expect(card.device == FixedText("mmcblk0"))
    #expect(card.majorNumber == 179)
    #expect(card.minorNumber == 0)
    #expect(card.readCount == 18_642)
    #expect(card.readMergedCount == 7291)
    #expect(card.readBytes == 1_427_106 * 512)
    #expect(card.readMilliseconds == 127_354)
    #expect(card.writeCount == 9210)
    #expect(card.writeMergedCount == 12_877)
    #expect(card.writeBytes == 702_530 * 512)
    #expect(card.writeMilliseconds == 301_478)
    #expect(card.inProgressCount == 0)
    #expect(card.busyMilliseconds == 119_890)
    #expect(card.weightedMilliseconds == 428_833)
    #expect(card.discardCount == nil && card.discardBytes == nil)
    #expect(card.flushCount == nil && card.flushMilliseconds == nil)
  }

  @Test func countersOf32BitsAtTheirEndAreNoOverflow() throws {
    let disk = try disks("linux-4.9-armv7l-raspberry-pi")[6]
    #expect(disk.readBytes == 4_294_967_295 * 512)
  }

  @Test func kernelsFrom418HaveDiscards() throws {
    let card = try disks("linux-4.19-aarch64-raspberry-pi")[2]
    #expect(card.inProgressCount == 2)
    #expect(card.discardCount == 120)
    #expect(card.discardMergedCount == 3)
    #expect(card.discardBytes == 4_294_967_296)
    #expect(card.discardMilliseconds == 77)
    #expect(card.flushCount == nil)
  }

  @Test func kernelsFrom55HaveFlushes() throws {
    let disk = try disks("linux-5.15-partitions-and-mapper")[0]
    #expect(disk.discardCount == 5)
    #expect(disk.flushCount == 1600)
    #expect(disk.flushMilliseconds == 1201)
  }

  @Test func columnsThatALaterKernelAppendsAreSteppedOver() throws {
    let disk = try disks("linux-5.15-partitions-and-mapper")[5]
    #expect(disk.device == FixedText("sr0"))
    #expect(disk.flushMilliseconds == 0)
  }

  @Test func loopAndMemoryDevicesThatNobodyUsedAreUnused() throws {
    #expect(
      try disks("linux-4.9-armv7l-raspberry-pi").map(\.isUnused).prefix(4)
        == [true, true, true, false])
    #expect(
      try disks("linux-4.19-aarch64-raspberry-pi").map(\.isUnused)
        == [false, true, false, false, false])
    #expect(
      try disks("linux-5.15-partitions-and-mapper").map(\.isUnused)
        == [false, false, false, true, true, false])
  }

  @Test(arguments: [
    "", " ", "179", "179 0", "179 0 mmcblk0", "179 0 mmcblk0 1 2 3 4 5 6 7 8 9 10",
    "179 0 mmcblk0 1 2 3 4 5 6 7 8 9 10 x", "a 0 mmcblk0 1 2 3 4 5 6 7 8 9 10 11",
    "179 0 mmcblk0 -1 2 3 4 5 6 7 8 9 10 11",
    "179 0 mmcblk0 18446744073709551616 2 3 4 5 6 7 8 9 10 11",
    "179 0 mmcblk0 1 2 3 4 5 6 7 8 9 10 11 12 13",
  ])
  func aLineThatIsNoneIsRefused(_ line: String) {
    #expect(throws: ParseError.self) { _ = try Disk(of: [UInt8](line.utf8)) }
  }

  @Test(arguments: [
    "linux-4.9-armv7l-raspberry-pi", "linux-4.19-aarch64-raspberry-pi",
    "linux-6.18-amd64-virtual-machine",
  ])
  func anyMutationIsRefusedOrHasADevice(_ file: String) throws {
    let seed: UInt64 = 40
    for bytes in try Mutations(of: Fixture.bytes("disks/\(file)"), count: 3000, seed: seed) {
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        guard let disk = try? Disk(of: Array(line)) else { continue }
        #expect(!disk.device.isEmpty, "seed \(seed): \(line)")
        _ = disk.isUnused
      }
    }
  }

  @Test func partitionsAreKnownFromSysfs() throws {
    let sysfs = FileManager.default.temporaryDirectory.appending(path: "disks-\(UUID())")
    defer { try? FileManager.default.removeItem(at: sysfs) }
    for folder in ["179:0", "179:1"] {
      try FileManager.default.createDirectory(
        at: sysfs.appending(path: "dev/block/\(folder)"), withIntermediateDirectories: true)
    }
    try Data("1\n".utf8).write(to: sysfs.appending(path: "dev/block/179:1/partition"))
    var partitions = Partitions(sysfs: Text(sysfs.path()))
    let disks = try disks("linux-4.9-armv7l-raspberry-pi")
    #expect(disks[3...5].map { partitions.contain($0) } == [false, true, nil])
    // Asked once: what was known stays known.
    try FileManager.default.removeItem(at: sysfs)
    #expect(disks[3...5].map { partitions.contain($0) } == [false, true, nil])
  }
}
