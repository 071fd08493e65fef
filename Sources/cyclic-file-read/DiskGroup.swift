import CLinux
import Daemon
import Linux
import Records

/// What the block devices do: /proc/diskstats.
struct DiskGroup: ~Copyable {
  private let file: SmallFile
  private let sysfs: String
  private let showsUnused: Bool
  private var buffer: [UInt8] = []
  private var partitions = PartitionTable()
  private var hasWarned = false

  /// Errors: those of open(2) on diskstats.
  init(procfs: String, sysfs: String, showsUnused: Bool = false) throws(SystemError) {
    let file = try SmallFile(procfs + "/diskstats")
    self.file = file
    self.sysfs = sysfs
    self.showsUnused = showsUnused
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    let count = try file.read(into: &buffer)
    var offset = 0
    while offset < count, let line = buffer.span.extracting(first: count).line(at: &offset) {
      guard var disk = Disk(parsing: buffer.span.extracting(line)) else {
        if !hasWarned { log.warning("\(file.path) has a line that is not understood: left out") }
        hasWarned = true
        continue
      }
      if disk.isUnused && !showsUnused { continue }
      disk.isPartition = partitions.isPartition(disk, sysfs)
      try sender.report(disk, log)
    }
  }
}

/// Which block devices are partitions: sysfs gives those a file of that name. Asked once for each.
struct PartitionTable {
  private struct Entry {
    let number: UInt64
    let device: FixedText<32>
    let isPartition: Bool?
  }

  private var entries: [Entry] = []

  mutating func isPartition(_ disk: Disk, _ sysfs: String) -> Bool? {
    let number = UInt64(disk.majorNumber) << 32 | UInt64(disk.minorNumber)
    if let known = entries.firstIndex(where: { $0.number == number }) {
      if entries[known].device == disk.device { return entries[known].isPartition }
      entries.remove(at: known)
    }
    let folder = "\(sysfs)/dev/block/\(disk.majorNumber):\(disk.minorNumber)"
    let isPartition: Bool? =
      access(folder + "/partition", F_OK) == 0 ? true : access(folder, F_OK) == 0 ? false : nil
    // Devices that come and go for years must not make it grow.
    if entries.count >= 256 { entries.removeAll(keepingCapacity: true) }
    entries.append(Entry(number: number, device: disk.device, isPartition: isPartition))
    return isPartition
  }
}
