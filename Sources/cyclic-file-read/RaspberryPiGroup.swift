import CLinux
import Daemon
import Linux
import Records

/// The health of a Raspberry Pi as its firmware tells it.
///
/// ```
/// /sys/devices/platform/soc/soc:firmware/get_throttled     50005, hexadecimal
/// /sys/class/hwmon/hwmon1/name                             rpi_volt
/// /sys/class/hwmon/hwmon1/in0_lcrit_alarm                  0 or 1
/// ```
/// The first file is that of Raspberry Pi's own kernels, whose bits ``RaspberryPi/take(flags:)``
/// names; without it the firmware is asked through /dev/vcio. The alarm is all that other kernels
/// have: the driver's own look at the firmware's flags, every two seconds.
struct RaspberryPiGroup: ~Copyable, Group {
  private var flags: ProcFile?
  private let mailbox: FirmwareMailbox?
  private var alarm: ProcFile?
  private var buffer: [UInt8] = []
  private var hasWarned = false

  init(procfs: Text, sysfs: Text) throws(SystemError) {
    // A copy of another machine's /sys says nothing of the device of this one.
    let isThisMachine = sysfs == "/sys"
    try self.init(sysfs: sysfs, device: isThisMachine ? "/dev/vcio" : nil)
  }

  /// Errors: ENODEV if nothing of it is there; those of open(2) on the device.
  init(sysfs: Text, device: Text?) throws(SystemError) {
    let flagsPath = Self.flagsPath(sysfs)
    let alarmPath = Self.alarmPath(sysfs)
    var mailbox: FirmwareMailbox?
    var refusal = SystemError("open", errno: ENODEV, "the firmware of a Raspberry Pi")
    if flagsPath == nil, let device {
      do throws(SystemError) {
        mailbox = try FirmwareMailbox(device)
      } catch {
        mailbox = nil
        if error.errno != ENOENT { refusal = error }
      }
    } else {
      mailbox = nil
    }
    let hasMailbox =
      switch mailbox {
      case .some: true
      case .none: false
      }
    if flagsPath == nil && alarmPath == nil && !hasMailbox { throw refusal }
    flags = flagsPath.map { ProcFile($0) }
    alarm = alarmPath.map { ProcFile($0) }
    self.mailbox = mailbox
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    var body = RaspberryPi()
    if let flags = readFlags(log) ?? askMailbox(log) { body.take(flags: flags) }
    body.supplyAlarm = alarm?.number(&buffer).map { $0 != 0 }
    if body != RaspberryPi() { try sender.send(body, log) }
  }

  private mutating func readFlags(_ log: Log) -> UInt32? {
    guard let count = flags?.read(into: &buffer, log) ?? nil else { return nil }
    let value = Self.flags(parsing: buffer.span.extracting(first: count))
    if value == nil { flags?.refuse(ParseError("does not hold a hexadecimal number"), log) }
    return value
  }

  /// The content of get_throttled.
  static func flags(parsing content: Span<UInt8>) -> UInt32? {
    var offset = 0
    guard var rest = content.nextLine(&offset), let word = content.nextWord(&rest) else {
      return nil
    }
    return content.hexadecimal(word).flatMap { UInt32(exactly: $0) }
  }

  private mutating func askMailbox(_ log: Log) -> UInt32? {
    do throws(SystemError) {
      switch mailbox {
      case .some(let mailbox): return try mailbox.throttledFlags()
      case .none: return nil
      }
    } catch {
      if !hasWarned { log.warning(error.description) }
      hasWarned = true
      return nil
    }
  }

  /// The place of get_throttled: known for most models, else where the driver has its device.
  private static func flagsPath(_ sysfs: Text) -> Text? {
    let usual = Text("\(sysfs)/devices/platform/soc/soc:firmware/get_throttled")
    if access(usual.c, R_OK) == 0 { return usual }
    return find(
      "get_throttled", below: "\(sysfs)/bus/platform/drivers/raspberrypi-firmware")
  }

  private static func alarmPath(_ sysfs: Text) -> Text? {
    find("in0_lcrit_alarm", below: "\(sysfs)/class/hwmon", named: "rpi_volt")
  }

  /// The path of a file in one of the folder's own folders, if need be in the one whose file `name`
  /// begins with this.
  private static func find(
    _ file: StaticString, below path: Text, named wanted: StaticString = ""
  ) -> Text? {
    for folder in (try? Directory.paths(in: path)) ?? [] {
      let found = Text("\(folder)/\(file)")
      guard access(found.c, R_OK) == 0 else { continue }
      if wanted.utf8CodeUnitCount == 0 { return found }
      guard let name = try? readFile("\(folder)/name", limit: 64) else { continue }
      if name.span.starts(0..<name.count, with: wanted) { return found }
    }
    return nil
  }
}
