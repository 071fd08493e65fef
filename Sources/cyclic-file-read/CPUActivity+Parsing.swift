import Records

extension CPUActivity {
  /// The lines of /proc/stat that are about all CPUs.
  ///
  /// ```
  /// intr 1286986 0 0 …        all interrupts, then each of them; thousands on a large machine
  /// ctxt 5794048
  /// btime 1795246496          Unix time in seconds
  /// processes 39365           since the start
  /// procs_running 4
  /// procs_blocked 0
  /// softirq 4100491 0 …       all, then each kind; since Linux 2.6.31
  /// ```
  init(parsing content: Span<UInt8>) throws(ParseError) {
    self.init()
    var (hasInterrupts, hasSwitches, hasBootTime, hasProcesses) = (false, false, false, false)
    var offset = 0
    while var rest = content.nextLine(&offset) {
      guard let key = content.nextWord(&rest) else { continue }
      if content.holds(key, "intr") {
        interrupts = try Self.value(content, &rest)
        hasInterrupts = true
      } else if content.holds(key, "ctxt") {
        contextSwitches = try Self.value(content, &rest)
        hasSwitches = true
      } else if content.holds(key, "btime") {
        bootTimeSeconds = try Self.value(content, &rest)
        hasBootTime = true
      } else if content.holds(key, "processes") {
        processesCreated = try Self.value(content, &rest)
        hasProcesses = true
      } else if content.holds(key, "procs_running") {
        processesRunning = UInt32(clamping: try Self.value(content, &rest))
      } else if content.holds(key, "procs_blocked") {
        processesBlocked = UInt32(clamping: try Self.value(content, &rest))
      } else if content.holds(key, "softirq") {
        softInterrupts = try Self.value(content, &rest)
      }
    }
    guard hasInterrupts else { throw ParseError("has no line intr") }
    guard hasSwitches else { throw ParseError("has no line ctxt") }
    guard hasBootTime else { throw ParseError("has no line btime") }
    guard hasProcesses else { throw ParseError("has no line processes") }
  }

  private static func value(
    _ content: Span<UInt8>, _ rest: inout Range<Int>
  ) throws(ParseError) -> UInt64 {
    guard let number = content.nextNumber(&rest) else {
      throw ParseError("has a line without a number where one belongs")
    }
    return number
  }
}
