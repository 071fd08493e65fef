import Daemon
import Linux
import Records

/// The groups by name, in the order in which they are read; also the sources of the event loop.
enum GroupName: UInt32, CaseIterable {
  case cpu, memory, network, disks, fileSystems, flashWear, processes, temperatures, sensors
  case raspberryPi

  var word: StaticString {
    switch self {
    case .cpu: "cpu"
    case .memory: "memory"
    case .network: "network"
    case .disks: "disks"
    case .fileSystems: "file-systems"
    case .flashWear: "flash-wear"
    case .processes: "processes"
    case .temperatures: "temperatures"
    case .sensors: "sensors"
    case .raspberryPi: "raspberry-pi"
    }
  }

  var option: StaticString {
    switch self {
    case .cpu: "cpu-interval"
    case .memory: "memory-interval"
    case .network: "network-interval"
    case .disks: "disks-interval"
    case .fileSystems: "file-systems-interval"
    case .flashWear: "flash-wear-interval"
    case .processes: "processes-interval"
    case .temperatures: "temperatures-interval"
    case .sensors: "sensors-interval"
    case .raspberryPi: "raspberry-pi-interval"
    }
  }

  /// What the group tells, for the help.
  var meaning: StaticString {
    switch self {
    case .cpu: "the same for CPU times, activity, frequency, or off"
    case .memory: "the same for memory, paging, or off"
    case .network: "the same for interfaces, sockets, Wi-Fi, or off"
    case .disks: "the same for block devices, or off"
    case .fileSystems: "the same for how full file systems are, or off"
    case .flashWear: "the same for wear of eMMC, or off"
    case .processes: "the same for processes that use most, or off"
    case .temperatures: "the same for thermal zones, or off"
    case .sensors: "the same for sensor chips, or off"
    case .raspberryPi: "the same for supply and throttling of a Raspberry Pi, or off"
    }
  }

  /// What changes slowly, or costs much to read, is not read more often than this by default.
  var slowest: Interval? {
    switch self {
    case .cpu, .memory, .network, .disks, .temperatures, .raspberryPi: nil
    case .processes, .sensors: .seconds(10)
    case .fileSystems: .seconds(30)
    case .flashWear: .seconds(3600)
    }
  }
}

/// The groups that this machine has, unless they are switched off.
struct Groups {
  private var groups: [ScheduledGroup] = []

  /// Looks for the source of each group. Errors: those of timerfd_create(2).
  init(_ options: GroupOptions, _ log: Log) throws(SystemError) {
    for name in GroupName.allCases {
      guard let interval = options.interval(of: name) else { continue }
      let reading: Reading
      do throws(SystemError) {
        reading = try Self.open(name, options)
      } catch {
        log.information("no group \(name.word) on this machine: \(error.description)")
        continue
      }
      groups.append(try ScheduledGroup(name, interval, reading))
    }
  }

  private static func open(
    _ name: GroupName, _ options: GroupOptions
  ) throws(SystemError) -> Reading {
    switch name {
    case .cpu: try CPUGroup.open(options)
    case .memory: try MemoryGroup.open(options)
    case .network: try NetworkGroup.open(options)
    case .disks: try DiskGroup.open(options)
    case .fileSystems: try FileSystemGroup.open(options)
    case .flashWear: try FlashWearGroup.open(options)
    case .processes: try ProcessGroup.open(options)
    case .temperatures: try TemperatureGroup.open(options)
    case .sensors: try SensorGroup.open(options)
    case .raspberryPi: try RaspberryPiGroup.open(options)
    }
  }

  var isAnyPresent: Bool { !groups.isEmpty }

  /// What is read and how often, for the service manager's status.
  var description: Text {
    var text: Text = "reads"
    for group in groups { text += group.description }
    return text
  }

  func start(_ events: borrowing EventLoop<GroupName>) throws(SystemError) {
    for group in groups { try group.start(events) }
  }

  /// Takes a sample of a group that was started.
  func sample(
    _ name: GroupName, _ sender: inout RecordSender, _ log: Log
  ) throws(SystemError) {
    for group in groups where group.name == name { try group.sample(&sender, log) }
  }
}
