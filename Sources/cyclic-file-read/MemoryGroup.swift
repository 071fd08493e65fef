import CLinux
import Daemon
import Linux
import Records

/// Memory and paging: /proc/meminfo and /proc/vmstat.
struct MemoryGroup: ~Copyable, Group {
  private var information: ProcFile
  private var statistics: ProcFile
  private var buffer: [UInt8] = []

  init(procfs: Text, sysfs: Text) throws(SystemError) {
    var information = ProcFile(procfs + "/meminfo")
    try information.open()
    self.information = information
    statistics = ProcFile(procfs + "/vmstat")
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    if let memory = memory(log) { try sender.send(memory, log) }
    if let activity = activity(log) { try sender.send(activity, log) }
  }

  private mutating func memory(_ log: Log) -> Memory? {
    guard let count = information.read(into: &buffer, log) else { return nil }
    do throws(ParseError) {
      return try Memory(parsing: buffer.span.extracting(first: count))
    } catch {
      information.refuse(error, log)
      return nil
    }
  }

  private mutating func activity(_ log: Log) -> PageActivity? {
    guard let count = statistics.read(into: &buffer, log) else { return nil }
    do throws(ParseError) {
      return try PageActivity(parsing: buffer.span.extracting(first: count))
    } catch {
      statistics.refuse(error, log)
      return nil
    }
  }
}
