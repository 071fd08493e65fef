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

  init(procfs: String, sysfs: String) throws(SystemError) {
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
    if let count = usage.read(into: &buffer, log) {
      do throws(ParseError) {
        try sockets.take(usage: buffer.span.extracting(first: count), pageSize: pageSize)
      } catch {
        usage.refuse(error, log)
      }
    }
    if let count = usage6.read(into: &buffer, log) {
      do throws(ParseError) {
        try sockets.take(usage: buffer.span.extracting(first: count), pageSize: pageSize)
      } catch {
        usage6.refuse(error, log)
      }
    }
    if let count = counters.read(into: &buffer, log) {
      do throws(ParseError) {
        try sockets.take(counters: buffer.span.extracting(first: count))
      } catch {
        counters.refuse(error, log)
      }
    }
    return sockets == Sockets() ? nil : sockets
  }
}
