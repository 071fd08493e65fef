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
    case .cpu: "CPU times, activity, frequency"
    case .memory: "memory, paging"
    case .network: "interfaces, sockets, Wi-Fi"
    case .disks: "block devices"
    case .fileSystems: "how full file systems are"
    case .flashWear: "wear of eMMC"
    case .processes: "processes that use most"
    case .temperatures: "thermal zones"
    case .sensors: "sensor chips"
    case .raspberryPi: "supply and throttling of a Raspberry Pi"
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

/// All groups of the program.
struct Groups: ~Copyable {
  private var cpu: ScheduledGroup<CPUGroup>
  private var memory: ScheduledGroup<MemoryGroup>
  private var network: ScheduledGroup<NetworkGroup>
  private var disks: ScheduledGroup<DiskGroup>
  private var fileSystems: ScheduledGroup<FileSystemGroup>
  private var flashWear: ScheduledGroup<FlashWearGroup>
  private var processes: ScheduledGroup<ProcessGroup>
  private var temperatures: ScheduledGroup<TemperatureGroup>
  private var sensors: ScheduledGroup<SensorGroup>
  private var raspberryPi: ScheduledGroup<RaspberryPiGroup>

  init(_ options: GroupOptions, _ log: Log) throws(SystemError) {
    let cpu = try ScheduledGroup<CPUGroup>(.cpu, options, log)
    let memory = try ScheduledGroup<MemoryGroup>(.memory, options, log)
    let network = try ScheduledGroup<NetworkGroup>(.network, options, log)
    let disks = try ScheduledGroup<DiskGroup>(.disks, options, log)
    let fileSystems = try ScheduledGroup<FileSystemGroup>(.fileSystems, options, log)
    let flashWear = try ScheduledGroup<FlashWearGroup>(.flashWear, options, log)
    let processes = try ScheduledGroup<ProcessGroup>(.processes, options, log)
    let temperatures = try ScheduledGroup<TemperatureGroup>(.temperatures, options, log)
    let sensors = try ScheduledGroup<SensorGroup>(.sensors, options, log)
    let raspberryPi = try ScheduledGroup<RaspberryPiGroup>(.raspberryPi, options, log)
    self.cpu = cpu
    self.memory = memory
    self.network = network
    self.disks = disks
    self.fileSystems = fileSystems
    self.flashWear = flashWear
    self.processes = processes
    self.temperatures = temperatures
    self.sensors = sensors
    self.raspberryPi = raspberryPi
  }

  var isAnyPresent: Bool {
    cpu.isPresent || memory.isPresent || network.isPresent || disks.isPresent
      || fileSystems.isPresent || flashWear.isPresent || processes.isPresent
      || temperatures.isPresent || sensors.isPresent || raspberryPi.isPresent
  }

  /// What is read and how often, for the service manager's status.
  var description: String {
    var text = "reads" + cpu.description + memory.description + network.description
    text += disks.description + fileSystems.description + flashWear.description
    text += processes.description + temperatures.description + sensors.description
    return text + raspberryPi.description
  }

  func start(_ events: borrowing EventLoop<GroupName>) throws(SystemError) {
    try cpu.start(events)
    try memory.start(events)
    try network.start(events)
    try disks.start(events)
    try fileSystems.start(events)
    try flashWear.start(events)
    try processes.start(events)
    try temperatures.start(events)
    try sensors.start(events)
    try raspberryPi.start(events)
  }

  mutating func sample(
    _ name: GroupName, _ sender: inout RecordSender, _ log: Log
  ) throws(SystemError) {
    switch name {
    case .cpu: try cpu.sample(&sender, log)
    case .memory: try memory.sample(&sender, log)
    case .network: try network.sample(&sender, log)
    case .disks: try disks.sample(&sender, log)
    case .fileSystems: try fileSystems.sample(&sender, log)
    case .flashWear: try flashWear.sample(&sender, log)
    case .processes: try processes.sample(&sender, log)
    case .temperatures: try temperatures.sample(&sender, log)
    case .sensors: try sensors.sample(&sender, log)
    case .raspberryPi: try raspberryPi.sample(&sender, log)
    }
  }
}
