import Records

/// Adds up the processes of an interval by command name, in a table of a fixed size.
///
/// The names that find it full are added up together, as "other".
struct SummaryTable {
  static let capacity = 128

  private var rows = [ProcessSummary](repeating: ProcessSummary(), count: capacity)
  private var used = 0
  /// Row numbers by hash of the name, -1 where there is none: open addressing, half full at most.
  private var slots = [Int16](repeating: -1, count: 4 * capacity)
  private var others = ProcessSummary()

  init() {
    removeAll()
  }

  /// How many records the interval makes.
  var count: Int { used + (others.processes > 0 ? 1 : 0) }

  subscript(index: Int) -> ProcessSummary { index < used ? rows[index] : others }

  mutating func add(_ exit: ProcessExit) {
    var slot = Int(Self.hash(exit.command) % UInt32(slots.count))
    while slots[slot] >= 0 {
      let row = Int(slots[slot])
      if rows[row].command == exit.command { return rows[row].add(exit) }
      slot = (slot + 1) % slots.count
    }
    guard used < Self.capacity else { return others.add(exit) }
    slots[slot] = Int16(used)
    rows[used] = ProcessSummary()
    rows[used].command = exit.command
    rows[used].add(exit)
    used += 1
  }

  /// Forgets everything; keeps its memory.
  mutating func removeAll() {
    used = 0
    for slot in slots.indices { slots[slot] = -1 }
    others = ProcessSummary()
    others.command = FixedText("other")
    others.isOther = true
  }

  /// FNV-1a of 32 bits.
  private static func hash(_ name: FixedText<16>) -> UInt32 {
    var hash: UInt32 = 0x811C_9DC5
    for index in 0..<name.count { hash = (hash ^ UInt32(name[index])) &* 0x0100_0193 }
    return hash
  }
}

extension ProcessSummary {
  /// Counts one more process.
  mutating func add(_ exit: ProcessExit) {
    processes &+= 1
    if exit.isEvent { failed &+= 1 }
    if exit.endedBySignal { endedBySignal &+= 1 }
    if exit.dumpedCore { dumpedCore &+= 1 }
    if exit.forkedWithoutExec { forkedWithoutExec &+= 1 }
    // Each at most 2^34: no sum reaches the end. Elapsed time may be any number in a bad record.
    userHundredths &+= exit.userHundredths
    systemHundredths &+= exit.systemHundredths
    minorFaults &+= exit.minorFaults
    majorFaults &+= exit.majorFaults
    let (sum, overflow) = elapsedHundredths.addingReportingOverflow(exit.elapsedHundredths)
    elapsedHundredths = overflow ? UInt64.max : sum
    longestHundredths = max(longestHundredths, exit.elapsedHundredths)
    largestMemoryBytes = max(largestMemoryBytes, exit.virtualMemoryBytes)
  }
}
