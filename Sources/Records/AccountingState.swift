/// What happens to process accounting itself, and what was found in its file that is no process.
///
/// Body in format version 1, 179 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u8 | state, see ``State`` |
/// | 1 | text, 128 | path of the accounting file |
/// | 131 | u64 | accounting records read so far, whatever they held |
/// | 139 | u64 | of these of a version that is not read |
/// | 147 | u64 | of these that are no accounting records |
/// | 155 | u64 | records that are known to be lost, so far |
/// | 163 | u64 | free space of its file system in bytes, absent if unknown |
/// | 171 | u64 | size of its file system in bytes, absent if unknown |
public struct AccountingState: RecordBody {
  public static let kind = RecordKind.accountingState

  public enum State: UInt8, FieldName {
    case unknown = 0
    /// Records come.
    case on = 1
    /// A process that ended left no record in the file.
    case off = 2
    /// The file system is so full that the kernel writes no records: acct(5), proc(5).
    case suspended = 3
    /// Records come again after ``suspended``.
    case resumed = 4
    /// Another file is at the path; what was in the old one has been read to its end.
    case rotated = 5
    /// The file was made shorter; what was written since the last look may be lost.
    case truncated = 6
    /// There is no file at the path; the one that was there is still read.
    case missing = 7
    /// Records were lost: those of files that were removed while this program did not run (their
    /// number is unknown), or those of own files that nobody took in time (it is counted).
    case lost = 8
    /// Records of a version that is not read, or what is no record, were found for the first time.
    case unreadable = 9

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .on: "on"
      case .off: "off"
      case .suspended: "suspended"
      case .resumed: "resumed"
      case .rotated: "rotated"
      case .truncated: "truncated"
      case .missing: "missing"
      case .lost: "lost"
      case .unreadable: "unreadable"
      }
    }
  }

  public var state = State.unknown
  public var path = FixedText<128>()
  public var recordsRead: UInt64 = 0
  public var recordsUnsupported: UInt64 = 0
  public var recordsInvalid: UInt64 = 0
  public var recordsLost: UInt64 = 0
  public var freeBytes: UInt64?
  public var totalBytes: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.name(
      Field(
        "state", .none, .gauge,
        "on, off, suspended, resumed, rotated, truncated, missing, lost or unreadable"), &state)
    visitor.text(Field("file_path", .none, .identity, "Path of the accounting file"), &path)
    visitor.unsigned(
      Field("records_read", .count, .counter, "Accounting records read, whatever they held"),
      &recordsRead)
    visitor.unsigned(
      Field("records_unsupported", .count, .counter, "Of these: of a version that is not read"),
      &recordsUnsupported)
    visitor.unsigned(
      Field("records_invalid", .count, .counter, "Of these: not accounting records"),
      &recordsInvalid)
    visitor.unsigned(
      Field("records_lost", .count, .counter, "Records that are known to be lost"), &recordsLost)
    visitor.optional(
      Field("filesystem_free_bytes", .bytes, .gauge, "Space that is left for the file"), &freeBytes)
    visitor.optional(
      Field("filesystem_size_bytes", .bytes, .gauge, "Size of the file's file system"), &totalBytes)
  }

  public static let eventRule = EventRule.always

  public static var topic: StaticString { "accounting" }
}
