import CLinux
import Daemon
import Linux
import Records

/// CPU times and activity from /proc/stat, and the frequency of each CPU from sysfs.
struct CPUGroup: ~Copyable, Group {
  private var stat: ProcFile
  private var frequencies: CPUFrequencies
  private var buffer: [UInt8] = []
  private let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

  init(procfs: Text, sysfs: Text) throws(SystemError) {
    var stat = ProcFile(procfs + "/stat")
    try stat.open()
    self.stat = stat
    frequencies = CPUFrequencies(sysfs: sysfs)
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    guard let count = stat.read(into: &buffer, log) else { return }
    var offset = 0
    while let line = buffer.span.extracting(first: count).nextLine(&offset) {
      guard let times = times(line, log) else { continue }
      try sender.send(times, log)
      frequencies.found(times.cpu)
    }
    if let activity = activity(count, log) { try sender.send(activity, log) }
    try frequencies.sample(&sender, log)
  }

  private mutating func times(_ line: Range<Int>, _ log: Log) -> CPUTimes? {
    do throws(ParseError) {
      return try CPUTimes(parsing: buffer.span.extracting(line), ticksPerSecond: ticksPerSecond)
    } catch {
      stat.refuse(error, log)
      return nil
    }
  }

  private mutating func activity(_ count: Int, _ log: Log) -> CPUActivity? {
    do throws(ParseError) {
      return try CPUActivity(parsing: buffer.span.extracting(first: count))
    } catch {
      stat.refuse(error, log)
      return nil
    }
  }
}
