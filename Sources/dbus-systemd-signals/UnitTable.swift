import Records

/// What is known of the units that are not inactive: a unit that is not in the table is inactive.
///
/// So units that come and go leave nothing behind, and the table is as long as the machine is busy.
struct UnitTable {
  struct Unit {
    let name: [UInt8]
    let hash: UInt64
    /// The state that was told last, or found in the list of units.
    var told = State.unloaded
    /// When it became active and inactive, at what was told last; nil: not known.
    var activeEnter: UInt64?
    var inactiveEnter: UInt64?
    /// What the signals said of the service's main process; nil: nothing yet.
    var service: ServiceState?
    /// The comparison in which it was seen last.
    var round: UInt32 = 0
  }

  private(set) var units: [Unit] = []
  let capacity: Int
  /// How often there was no room for a unit.
  private(set) var forgotten: UInt32 = 0

  init(capacity: Int = 2048) {
    self.capacity = capacity
  }

  func index(of name: [UInt8]) -> Int? {
    let hash = Self.hash(name)
    for index in units.indices where units[index].hash == hash && units[index].name == name {
      return index
    }
    return nil
  }

  /// The unit's place; made for it unless the table is full.
  mutating func place(for name: [UInt8]) -> Int? {
    if let index = index(of: name) { return index }
    guard units.count < capacity else {
      forgotten &+= 1
      return nil
    }
    units.append(Unit(name: name, hash: Self.hash(name)))
    return units.count - 1
  }

  subscript(index: Int) -> Unit {
    get { units[index] }
    _modify { yield &units[index] }
  }

  /// The last one takes the place.
  mutating func remove(at index: Int) {
    units.swapAt(index, units.count - 1)
    units.removeLast()
  }

  /// FNV-1a.
  private static func hash(_ name: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}

/// What systemd says of a service's main process and of how the service ended.
struct ServiceState: Equatable {
  var result = FixedText<32>()
  var exit = UnitState.Exit.none
  var exitStatus: UInt32?
  var processId: UInt32?
  var restarts: UInt32?

  init() {}

  /// Takes over what is in `properties`.
  mutating func update(_ properties: UnitProperties) {
    if let result = properties.result { self.result = FixedText(result.bytes.span) }
    if let code = properties.exitCode {
      exit = UnitState.Exit(rawValue: UInt8(clamping: code)) ?? .unknown
    }
    if let status = properties.exitStatus { exitStatus = UInt32(bitPattern: status) }
    if let id = properties.processId { processId = id == 0 ? nil : id }
    if let restarts = properties.restarts { self.restarts = restarts }
  }

  func fill(_ body: inout UnitState) {
    body.result = result
    body.mainProcessExit = exit
    // Before the main process has ended there is none, but systemd says 0.
    body.mainProcessStatus = exit == .none ? nil : exitStatus
    body.mainProcessId = processId
    body.restarts = restarts
  }
}

extension UnitTable.Unit {
  /// Whether `state`, if it is as was told, was left and entered again since.
  func wasReentered(_ state: State, _ properties: UnitProperties) -> Bool {
    let (known, now) =
      state.isActive
      ? (activeEnter, properties.activeEnter) : (inactiveEnter, properties.inactiveEnter)
    guard let known, let now else { return false }
    return known != now
  }

  /// Keeps what was told, or what is known of the time before anything was.
  mutating func keep(_ state: State, _ properties: UnitProperties, told isTold: Bool) {
    if isTold { told = state }
    if isTold || activeEnter == nil { activeEnter = properties.activeEnter ?? activeEnter }
    if isTold || inactiveEnter == nil { inactiveEnter = properties.inactiveEnter ?? inactiveEnter }
  }
}
