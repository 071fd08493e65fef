/// How full a mounted file system is: statvfs(3).
///
/// Body in format version 1, 464 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 256 | mount point |
/// | 258 | text, 128 | device or what else is mounted there |
/// | 388 | text, 32 | type |
/// | 422 | u8 | 1 the file system is read-only |
/// | 423 | u8 | 1 it answered in time |
/// | 424, 432, 440 | u64 | size, free, available to users, in bytes; all bits set without an answer |
/// | 448, 456 | u64 | inodes, free inodes; all bits set where the file system does not count them |
public struct FileSystem: RecordBody {
  public static let kind = RecordKind.fileSystem

  public var mountPoint = FixedText<256>()
  public var device = FixedText<128>()
  public var type = FixedText<32>()
  public var isReadOnly = false
  public var isAnswering = false
  public var sizeBytes: UInt64?
  public var freeBytes: UInt64?
  public var availableBytes: UInt64?
  public var inodeCount: UInt64?
  public var freeInodeCount: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(
      Field("mount_point", .none, .identity, "The folder where it is mounted"), &mountPoint)
    visitor.text(
      Field("device", .none, .identity, "The device, server or folder that is mounted"), &device)
    visitor.text(Field("type", .none, .identity, "Type, such as ext4 or nfs4"), &type)
    visitor.boolean(
      Field(
        "read_only", .none, .gauge, "The file system, not only the mount, cannot be written to"),
      &isReadOnly)
    visitor.boolean(
      Field("answering", .none, .gauge, "It said in time how full it is"), &isAnswering)
    visitor.optional(Field("size_bytes", .bytes, .gauge, "Size"), &sizeBytes)
    visitor.optional(Field("free_bytes", .bytes, .gauge, "Free space"), &freeBytes)
    visitor.optional(
      Field("available_bytes", .bytes, .gauge, "Free space that is not reserved for root"),
      &availableBytes)
    visitor.optional(Field("inode_count", .count, .gauge, "Inodes"), &inodeCount)
    visitor.optional(Field("free_inode_count", .count, .gauge, "Free inodes"), &freeInodeCount)
  }

  public static var topic: StaticString { "file_system/{mount_point}" }
}
