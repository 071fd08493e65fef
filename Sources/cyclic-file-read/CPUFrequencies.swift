import Daemon
import Linux
import Records

/// The frequencies of the CPUs that are online, where the machine has cpufreq.
///
/// ```
/// /sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq     1500000, in kHz
/// /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq     1500000
/// ```
/// Kernel documentation: admin-guide/pm/cpufreq.
struct CPUFrequencies: ~Copyable {
  private final class CPU {
    let number: FixedText<8>
    var present: ProcFile
    var limit: ProcFile
    var isOnline = false

    init(_ number: FixedText<8>, sysfs: Text) {
      self.number = number
      let cpus = sysfs + "/devices/system/cpu/cpu"
      present = ProcFile(cpus, number, "/cpufreq/scaling_cur_freq")
      limit = ProcFile(cpus, number, "/cpufreq/scaling_max_freq")
    }
  }

  private let sysfs: Text
  /// All that were ever online, in that order.
  private var cpus: [CPU] = []
  private var next = 0
  private var buffer: [UInt8] = []

  init(sysfs: Text) {
    self.sysfs = sysfs
  }

  /// /proc/stat has a line of this CPU: it is online. The kernel tells them in ascending order.
  mutating func found(_ number: FixedText<8>) {
    guard number != FixedText("total") else { return }
    // As long as no CPU comes or goes, the next one is where it was the last time.
    if next == cpus.count || cpus[next].number != number {
      next = 0
      while next < cpus.count && cpus[next].number != number { next += 1 }
    }
    if next == cpus.count { cpus.append(CPU(number, sysfs: sysfs)) }
    cpus[next].isOnline = true
    next += 1
  }

  /// A CPU without cpufreq, or whose driver has no answer now, has no record.
  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    next = 0
    for cpu in cpus where cpu.isOnline {
      cpu.isOnline = false
      guard let kilohertz = cpu.present.number(&buffer) else { continue }
      var frequency = CPUFrequency()
      frequency.cpu = cpu.number
      frequency.frequencyHertz = kilohertz.multipliedSaturated(by: 1000)
      frequency.frequencyLimitHertz = cpu.limit.number(&buffer)?.multipliedSaturated(by: 1000)
      try sender.send(frequency, log)
    }
  }
}

extension UInt64 {
  /// The product, or the largest number where it does not fit: no kernel tells such a value.
  func multipliedSaturated(by factor: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
