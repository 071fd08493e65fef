import CLinux
import Daemon
import Linux
import Records

/// What the block devices do: /proc/diskstats.
struct DiskGroup: ~Copyable, Group {
  private var file: ProcFile
  private var partitions: Partitions
  private let showsUnused: Bool
  private var buffer: [UInt8] = []

  init(procfs: Text, sysfs: Text) throws(SystemError) {
    try self.init(procfs: procfs, sysfs: sysfs, showsUnused: false)
  }

  init(_ options: GroupOptions) throws(SystemError) {
    try self.init(
      procfs: options.procfs, sysfs: options.sysfs, showsUnused: options.showsUnusedDisks)
  }

  init(procfs: Text, sysfs: Text, showsUnused: Bool) throws(SystemError) {
    var file = ProcFile("\(procfs)/diskstats")
    try file.open()
    self.file = file
    self.showsUnused = showsUnused
    partitions = Partitions(sysfs: sysfs)
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    guard let count = file.read(into: &buffer, log) else { return }
    var offset = 0
    while let line = buffer.span.extracting(first: count).nextLine(&offset) {
      guard let disk = disk(line, log) else { continue }
      try sender.send(disk, log)
    }
  }

  private mutating func disk(_ line: Range<Int>, _ log: Log) -> Disk? {
    do throws(ParseError) {
      var disk = try Disk(parsing: buffer.span.extracting(line))
      if disk.isUnused && !showsUnused { return nil }
      disk.isPartition = partitions.contain(disk)
      return disk
    } catch {
      file.refuse(error, log)
      return nil
    }
  }
}

/// Which block devices are partitions: those have a file of that name in sysfs. Asked once for each.
struct Partitions {
  private struct Device {
    let majorNumber: UInt32
    let minorNumber: UInt32
    let name: FixedText<32>
    let isPartition: Bool?
  }

  private let sysfs: Text
  private var devices: [Device] = []
  private var next = 0

  init(sysfs: Text) {
    self.sysfs = sysfs
  }

  /// nil: sysfs does not know the device.
  mutating func contain(_ disk: Disk) -> Bool? {
    if let known = firstIndex(of: disk) {
      next = known + 1
      if devices[known].name == disk.device { return devices[known].isPartition }
      devices.remove(at: known)
    }
    let folder = Text(
      "\(sysfs)/dev/block/\(UInt64(disk.majorNumber)):\(UInt64(disk.minorNumber))")
    let isPartition =
      exists("\(folder)/partition") ? true : exists(folder) ? false : nil
    // Devices that come and go for years must not make it grow.
    if devices.count >= 256 { devices.removeAll(keepingCapacity: true) }
    devices.append(
      Device(
        majorNumber: disk.majorNumber, minorNumber: disk.minorNumber, name: disk.device,
        isPartition: isPartition))
    next = devices.count
    return isPartition
  }

  private func firstIndex(of disk: Disk) -> Int? {
    func isKnown(_ device: Device) -> Bool {
      device.majorNumber == disk.majorNumber && device.minorNumber == disk.minorNumber
    }
    // As long as no device comes or goes, the next one is where it was the last time.
    if next < devices.count && isKnown(devices[next]) { return next }
    return devices.firstIndex(where: isKnown)
  }
}
