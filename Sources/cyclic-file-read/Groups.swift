import Daemon
import Linux
import Records

/// The groups by name, in the order in which they are read; also the sources of the event loop.
enum GroupName: UInt32, CaseIterable {
  case cpu, memory, network

  var word: StaticString {
    switch self {
    case .cpu: "cpu"
    case .memory: "memory"
    case .network: "network"
    }
  }

  var option: StaticString {
    switch self {
    case .cpu: "cpu-interval"
    case .memory: "memory-interval"
    case .network: "network-interval"
    }
  }

  /// What the group tells, for the help.
  var meaning: StaticString {
    switch self {
    case .cpu: "CPU times, activity, frequency"
    case .memory: "memory, paging"
    case .network: "interfaces, sockets, Wi-Fi"
    }
  }

  /// What changes slowly, or costs much to read, is not read more often than this by default.
  var slowest: Interval? {
    switch self {
    case .cpu, .memory, .network: nil
    }
  }
}

/// All groups of the program.
struct Groups: ~Copyable {
  private var cpu: ScheduledGroup<CPUGroup>
  private var memory: ScheduledGroup<MemoryGroup>
  private var network: ScheduledGroup<NetworkGroup>

  init(_ options: GroupOptions, _ log: Log) throws(SystemError) {
    let cpu = try ScheduledGroup<CPUGroup>(.cpu, options, log)
    let memory = try ScheduledGroup<MemoryGroup>(.memory, options, log)
    let network = try ScheduledGroup<NetworkGroup>(.network, options, log)
    self.cpu = cpu
    self.memory = memory
    self.network = network
  }

  var isAnyPresent: Bool {
    cpu.isPresent || memory.isPresent || network.isPresent
  }

  /// What is read and how often, for the service manager's status.
  var description: String {
    "reads" + cpu.description + memory.description + network.description
  }

  func start(_ events: borrowing EventLoop<GroupName>) throws(SystemError) {
    try cpu.start(events)
    try memory.start(events)
    try network.start(events)
  }

  mutating func sample(
    _ name: GroupName, _ sender: inout RecordSender, _ log: Log
  ) throws(SystemError) {
    switch name {
    case .cpu: try cpu.sample(&sender, log)
    case .memory: try memory.sample(&sender, log)
    case .network: try network.sample(&sender, log)
    }
  }
}
