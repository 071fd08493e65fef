import CLinux
import Daemon
import Linux
import Records

/// Network interfaces, sockets and Wi-Fi: /proc/net and /sys/class/net.
///
/// All of it is of the network namespace that the program runs in.
struct NetworkGroup: ~Copyable, Group {
  private var devices: InterfaceTable
  private var interfaces: InterfaceFiles
  private var usage: ProcFile
  private var usage6: ProcFile
  private var counters: ProcFile
  private var wireless: InterfaceTable
  private var buffer: [UInt8] = []
  private let pageSize = UInt64(sysconf(Int32(_SC_PAGESIZE)))

  init(procfs: Text, sysfs: Text) throws(SystemError) {
    var devices = InterfaceTable(procfs + "/net/dev")
    try devices.file.open()
    self.devices = devices
    interfaces = InterfaceFiles(sysfs: sysfs)
    usage = ProcFile(procfs + "/net/sockstat")
    usage6 = ProcFile(procfs + "/net/sockstat6")
    counters = ProcFile(procfs + "/net/snmp")
    wireless = InterfaceTable(procfs + "/net/wireless")
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    if devices.read(log) {
      while var interface = nextInterface(log) {
        interfaces.complete(&interface)
        try sender.send(interface, log)
      }
      interfaces.forgetGone()
    }
    if let sockets = sockets(log) { try sender.send(sockets, log) }
    if wireless.read(log) {
      while let interface = nextWireless(log) { try sender.send(interface, log) }
    }
  }

  /// The next line that is one; nil at the end.
  private mutating func nextInterface(_ log: Log) -> NetworkInterface? {
    while let line = devices.nextLine() {
      do throws(ParseError) {
        return try NetworkInterface(parsing: devices.buffer.span.extracting(line))
      } catch {
        devices.file.refuse(error, log)
      }
    }
    return nil
  }

  private mutating func nextWireless(_ log: Log) -> Wireless? {
    while let line = wireless.nextLine() {
      do throws(ParseError) {
        return try Wireless(parsing: wireless.buffer.span.extracting(line))
      } catch {
        wireless.file.refuse(error, log)
      }
    }
    return nil
  }

  /// What the three files tell; nil if none of them can be read.
  private mutating func sockets(_ log: Log) -> Sockets? {
    var sockets = Sockets()
    let hasUsage = Self.read(&usage, &buffer, log) { (content) throws(ParseError) in
      try sockets.take(usage: content, pageSize: pageSize)
    }
    let hasUsage6 = Self.read(&usage6, &buffer, log) { (content) throws(ParseError) in
      try sockets.take(usage: content, pageSize: pageSize)
    }
    let hasCounters = Self.read(&counters, &buffer, log) { (content) throws(ParseError) in
      try sockets.take(counters: content)
    }
    return hasUsage || hasUsage6 || hasCounters ? sockets : nil
  }

  /// Whether there was something to parse.
  @inline(never)
  private static func read(
    _ file: inout ProcFile, _ buffer: inout [UInt8], _ log: Log,
    _ parse: (Span<UInt8>) throws(ParseError) -> Void
  ) -> Bool {
    guard let count = file.read(into: &buffer, log) else { return false }
    do throws(ParseError) {
      try parse(buffer.span.extracting(first: count))
    } catch {
      file.refuse(error, log)
    }
    return true
  }
}
