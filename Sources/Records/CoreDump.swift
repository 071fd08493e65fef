/// A program that crashed and dumped core, as systemd-coredump(8) stored or logged it.
///
/// Body in format version 1, 912 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | when it crashed: microseconds since 1970 |
/// | 8 | text, 40 | the boot in which it crashed, as boot_id |
/// | 50 | text, 40 | the process's name |
/// | 92, 96, 100 | u32 | process, user and group id; all bits set: not known |
/// | 104 | u8 | signal; 255: not known |
/// | 105 | u8 | the signal's name, by the same number, see ``Signal`` |
/// | 106 | u8 | where the dump is, see ``Storage`` |
/// | 107 | u8 | how it is compressed, see ``Compression`` |
/// | 108 | u64 | length of the file in bytes; all bits set: no file |
/// | 116 | u64 | what the file takes on the disk, in bytes; all bits set: no file |
/// | 124 | u64 | RLIMIT_CORE in bytes; all bits set: unlimited or not known |
/// | 132 | u8 | 1: the dump was cut |
/// | 133 | u8 | 1: the journal's entry was there |
/// | 134 | text, 240 | path of the program |
/// | 376 | text, 240 | command line |
/// | 618 | text, 96 | unit of the system's manager |
/// | 716 | text, 96 | unit of the user's manager |
/// | 814 | text, 96 | the machine's name |
///
/// Few capacities, since each costs a program code of its own.
///
/// What only the journal's entry tells is empty, and `truncated` 0, without it.
public struct CoreDump: RecordBody {
  public static let kind = RecordKind.coreDump

  /// Where the dump is: the fields of systemd-coredump's journal entry, see coredump.conf(5).
  public enum Storage: UInt8, FieldName {
    case unknown = 0
    /// In the folder of core dumps.
    case file = 1
    /// In the journal's entry itself.
    case journal = 2
    /// Nowhere: not allowed, larger than configured, or removed at once.
    case none = 3

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .file: "file"
      case .journal: "journal"
      case .none: "none"
      }
    }
  }

  /// How the file is compressed, by the ending of its name.
  public enum Compression: UInt8, FieldName {
    case unknown = 0
    case none = 1
    case zstandard = 2
    case lz4 = 3
    case xz = 4

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .none: "none"
      case .zstandard: "zstd"
      case .lz4: "lz4"
      case .xz: "xz"
      }
    }
  }

  /// The signals that dump core, signal(7), by their numbers on x86 and Arm.
  public enum Signal: UInt8, FieldName {
    case unknown = 0
    case quit = 3
    case illegal = 4
    case trap = 5
    case abort = 6
    case bus = 7
    case floatingPoint = 8
    case segmentation = 11
    case cpuTime = 24
    case fileSize = 25
    case system = 31

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .quit: "SIGQUIT"
      case .illegal: "SIGILL"
      case .trap: "SIGTRAP"
      case .abort: "SIGABRT"
      case .bus: "SIGBUS"
      case .floatingPoint: "SIGFPE"
      case .segmentation: "SIGSEGV"
      case .cpuTime: "SIGXCPU"
      case .fileSize: "SIGXFSZ"
      case .system: "SIGSYS"
      }
    }
  }

  public var crashTimeMicroseconds: UInt64 = 0
  public var crashBootID = FixedText<40>()
  public var comm = FixedText<40>()
  public var pid: UInt32?
  public var uid: UInt32?
  public var gid: UInt32?
  public var signal: UInt8? {
    didSet { signalName = signal.flatMap { Signal(rawValue: $0) } ?? .unknown }
  }
  public private(set) var signalName = Signal.unknown
  public var storage = Storage.unknown
  public var compression = Compression.unknown
  public var fileSizeBytes: UInt64?
  public var fileDiskBytes: UInt64?
  public var coreLimitBytes: UInt64?
  public var isTruncated = false
  public var hasJournalEntry = false
  public var executable = FixedText<240>()
  public var commandLine = FixedText<240>()
  public var unit = FixedText<96>()
  public var userUnit = FixedText<96>()
  public var hostname = FixedText<96>()

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(
      Field("crash_time_seconds", .seconds, .gauge, decimals: 6, "When it crashed, Unix time"),
      &crashTimeMicroseconds)
    visitor.text(
      Field("crash_boot_id", .none, .identity, "The boot in which it crashed"), &crashBootID)
    visitor.text(Field("comm", .none, .identity, "The process's name, 15 bytes at most"), &comm)
    visitor.optional(Field("pid", .none, .identity, "The process's id"), &pid)
    visitor.optional(Field("uid", .none, .identity, "The user whose process it was"), &uid)
    visitor.optional(Field("gid", .none, .identity, "The group of the process"), &gid)
    visitor.optional(Field("signal", .none, .gauge, "The signal that it died of"), &signal)
    visitor.name(Field("signal_name", .none, .gauge, "The signal's name"), &signalName)
    visitor.name(
      Field("storage", .none, .gauge, "Where the dump is: file, journal or none"), &storage)
    visitor.name(
      Field("compression", .none, .gauge, "How the file is compressed: none, zstd, lz4, xz"),
      &compression)
    visitor.optional(
      Field("file_size_bytes", .bytes, .gauge, "Length of the dump's file"), &fileSizeBytes)
    visitor.optional(
      Field("file_disk_bytes", .bytes, .gauge, "What the file takes on the disk"), &fileDiskBytes)
    visitor.optional(
      Field("core_limit_bytes", .bytes, .gauge, "RLIMIT_CORE; absent: unlimited or not known"),
      &coreLimitBytes)
    visitor.boolean(Field("truncated", .none, .gauge, "The dump was cut"), &isTruncated)
    visitor.boolean(
      Field("journal_entry", .none, .gauge, "The journal's entry was there when this was sent"),
      &hasJournalEntry)
    visitor.text(Field("exe", .none, .identity, "Path of the program"), &executable)
    visitor.text(Field("command_line", .none, .gauge, "The command line"), &commandLine)
    visitor.text(Field("unit", .none, .identity, "The system's unit that it ran in"), &unit)
    visitor.text(Field("user_unit", .none, .identity, "The user's unit that it ran in"), &userUnit)
    visitor.text(Field("hostname", .none, .gauge, "The machine's name"), &hostname)
  }

  public static let eventRule = EventRule.always

  public static var topic: StaticString { "dump/{comm}" }
}
