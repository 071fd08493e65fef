import Records

/// What /proc/PID/stat tells of a process, in the kernel's units.
///
/// ```
/// 4821 (a b) c) S 1 4821 4821 0 -1 4194304 107 0 12 0 3 5 0 0 20 0 1 0 8801 2297856 204 …
/// ```
/// proc_pid_stat(5): (1) process id; (2) name in parentheses, which may hold spaces, parentheses and
/// any other byte, so that it ends at the last `)`; (3) state; (4) parent; (9) flags; (10) minor
/// and (12) major faults; (14) user and (15) system time in ticks; (19) nice value; (20) threads;
/// (22) start after that of the machine, in ticks; (23) virtual memory in bytes; (24) resident
/// memory in pages. More columns follow, and each kernel has its own number of them.
struct ProcessStatus: Equatable {
  var processID: Int32 = 0
  var name = FixedText<64>()
  var state = ProcessState.unknown
  var parentProcessID: UInt32 = 0
  var isKernelThread = false
  var minorFaultCount: UInt64 = 0
  var majorFaultCount: UInt64 = 0
  var userTicks: UInt64 = 0
  var systemTicks: UInt64 = 0
  var nice: Int32 = 0
  var threadCount: UInt32 = 0
  var startTicks: UInt64 = 0
  var virtualBytes: UInt64 = 0
  var residentPages: UInt64 = 0

  var ticks: UInt64 { userTicks &+ systemTicks }

  init(parsing text: Span<UInt8>) throws(ParseError) {
    guard let open = text.firstIndex(of: UInt8(ascii: "("), from: 0), open > 0,
      let close = text.lastIndex(of: UInt8(ascii: ")")), open < close
    else { throw ParseError("has no name in parentheses") }
    var front = 0..<open
    guard let processID = text.nextNumber(&front).flatMap({ Int32(exactly: $0) }) else {
      throw ParseError("does not begin with a process id")
    }
    self.processID = processID
    name = FixedText(text.extracting((open + 1)..<close))
    var rest = (close + 1)..<text.count
    guard let letter = text.nextWord(&rest) else { throw ParseError("has no state") }
    state = ProcessState(letter: text[letter.lowerBound])
    // One loop instead of a call for each column: a third of the instructions of a process.
    var columns = InlineArray<21, Int64>(repeating: 0)
    guard text.nextNumbers(&rest, into: &columns) else {
      throw ParseError("has less than 24 columns, or a word where a number belongs")
    }
    func column(_ number: Int) -> Int64 { columns[number - 4] }
    parentProcessID = UInt32(clamping: column(4))
    isKernelThread = column(9) & Self.kernelThreadFlag != 0
    minorFaultCount = UInt64(clamping: column(10))
    majorFaultCount = UInt64(clamping: column(12))
    userTicks = UInt64(clamping: column(14))
    systemTicks = UInt64(clamping: column(15))
    nice = Int32(clamping: column(19))
    threadCount = UInt32(clamping: column(20))
    startTicks = UInt64(clamping: column(22))
    virtualBytes = UInt64(clamping: column(23))
    // Counted on each CPU apart: the sum may be below 0 for a moment, and is 0 then.
    residentPages = UInt64(clamping: column(24))
  }

  /// The second number of /proc/PID/statm, proc_pid_statm(5): `1234 204 163 21 0 89 0`, in pages.
  static func residentPages(parsing content: Span<UInt8>) -> UInt64? {
    var offset = 0
    guard var rest = content.nextLine(&offset) else { return nil }
    _ = content.nextWord(&rest)
    return content.nextNumber(&rest)
  }

  /// PF_KTHREAD of the kernel's include/linux/sched.h.
  private static var kernelThreadFlag: Int64 { 0x0020_0000 }
}

/// The bytes that a process read from and wrote to storage.
struct ProcessStorage: Equatable {
  var readBytes: UInt64
  var writeBytes: UInt64

  /// /proc/PID/io, proc_pid_io(5); nil if the lines are not there.
  ///
  /// ```
  /// rchar: 323934931          read by read(2), from wherever
  /// read_bytes: 2097152       read from storage
  /// write_bytes: 323932160    written to storage
  /// ```
  init?(parsing content: Span<UInt8>) {
    var (read, write): (UInt64?, UInt64?)
    var offset = 0
    while var rest = content.nextLine(&offset) {
      guard let key = content.nextWord(&rest) else { continue }
      if content.holds(key, "read_bytes:") { read = content.nextNumber(&rest) }
      if content.holds(key, "write_bytes:") { write = content.nextNumber(&rest) }
    }
    guard let read, let write else { return nil }
    readBytes = read
    writeBytes = write
  }
}
