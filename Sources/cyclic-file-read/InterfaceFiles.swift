import Linux
import Records

/// What sysfs tells of the interfaces; they come and go.
///
/// ```
/// /sys/class/net/eth0/operstate          up
/// /sys/class/net/eth0/speed              1000, in Mbit/s; -1 or EINVAL without one
/// /sys/class/net/eth0/carrier_changes    2; since Linux 3.15
/// ```
/// Kernel documentation: ABI/testing/sysfs-class-net.
struct InterfaceFiles: ~Copyable {
  private final class Interface {
    let name: FixedText<16>
    var state: ProcFile
    var speed: ProcFile
    var carrierChanges: ProcFile
    var isSeen = true

    init(_ name: FixedText<16>, sysfs: Text) {
      self.name = name
      let folder = sysfs + "/class/net/"
      state = ProcFile(folder, name, "/operstate")
      speed = ProcFile(folder, name, "/speed")
      carrierChanges = ProcFile(folder, name, "/carrier_changes")
    }
  }

  private let sysfs: Text
  private var interfaces: [Interface] = []
  private var next = 0
  private var buffer: [UInt8] = []

  init(sysfs: Text) {
    self.sysfs = sysfs
  }

  /// Fills in the fields that are in sysfs; what is not there stays unknown or absent.
  mutating func complete(_ record: inout NetworkInterface) {
    guard record.interface.isFileName else { return }
    // As long as no interface comes or goes, the next one is where it was the last time.
    if next == interfaces.count || interfaces[next].name != record.interface {
      next = 0
      while next < interfaces.count && interfaces[next].name != record.interface { next += 1 }
      if next == interfaces.count {
        interfaces.append(Interface(record.interface, sysfs: sysfs))
      }
    }
    let interface = interfaces[next]
    next += 1
    interface.isSeen = true
    let count = interface.state.load(&buffer, isAttribute: true)
    if count > 0 {
      record.state = NetworkInterface.State(parsing: buffer.span.extracting(first: count))
    }
    record.speedBitsPerSecond = interface.speed.number(&buffer)?.multipliedSaturated(by: 1_000_000)
    record.carrierChanges = interface.carrierChanges.number(&buffer)
      .flatMap { UInt32(exactly: $0) }
  }

  /// At the end of a sample: closes the files of the interfaces that were not in it.
  mutating func forgetGone() {
    next = 0
    var index = 0
    while index < interfaces.count {
      if interfaces[index].isSeen {
        interfaces[index].isSeen = false
        index += 1
      } else {
        interfaces.remove(at: index)
      }
    }
  }
}

extension FixedText {
  /// Whether it names a file in a folder, and neither the folder nor another one.
  fileprivate var isFileName: Bool {
    let dot = UInt8(ascii: ".")
    if count == 0 || isCut { return false }
    if self[0] == dot && (count == 1 || count == 2 && self[1] == dot) { return false }
    for index in 0..<count where self[index] == UInt8(ascii: "/") || self[index] == 0 {
      return false
    }
    return true
  }
}
