import CLinux
import Linux

/// How full a file system must be for the kernel to stop accounting: /proc/sys/kernel/acct.
///
/// ```
/// 4	2	30
/// ```
///
/// In percent of the blocks: accounting goes on again at the first, stops at the second; and in
/// seconds, how often the kernel looks. proc(5)
struct SpaceThresholds: Equatable {
  var resume: UInt64 = 4
  var suspend: UInt64 = 2
  var seconds: UInt64 = 30

  init() {}

  /// nil if the bytes are not three numbers from 0.
  init?(parsing bytes: Span<UInt8>) {
    var numbers = InlineArray<3, UInt64>(repeating: 0)
    var count = 0
    var index = 0
    while index < bytes.count {
      let start = index
      while index < bytes.count && !Self.isSpace(bytes[index]) { index += 1 }
      if index > start {
        guard count < 3, let number = bytes.extracting(start..<index).decimal else {
          return nil
        }
        numbers[count] = number
        count += 1
      }
      index += 1
    }
    guard count == 3 else { return nil }
    resume = numbers[0]
    suspend = numbers[1]
    seconds = numbers[2]
  }

  /// Whether the kernel stops accounting when it looks: `check_free_space()` in kernel/acct.c.
  func suspends(_ space: FreeSpace) -> Bool {
    let (product, overflow) = space.blocks.multipliedReportingOverflow(by: suspend)
    return !overflow && space.available <= product / 100
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
  }
}

/// What fstatvfs(3) says of a file's file system.
struct FreeSpace: Equatable {
  var blockSize: UInt64
  var blocks: UInt64
  /// For those who are not root, which is what the kernel compares.
  var available: UInt64

  init(blockSize: UInt64, blocks: UInt64, available: UInt64) {
    self.blockSize = blockSize
    self.blocks = blocks
    self.available = available
  }

  init(of file: borrowing FileDescriptor) throws(SystemError) {
    var found = statvfs()
    guard fstatvfs(file.raw, &found) == 0 else { throw SystemError("fstatvfs") }
    blockSize = UInt64(found.f_frsize)
    blocks = UInt64(found.f_blocks)
    available = UInt64(found.f_bavail)
  }

  var freeBytes: UInt64 { available.multipliedReportingOverflow(by: blockSize).partialValue }
  var totalBytes: UInt64 { blocks.multipliedReportingOverflow(by: blockSize).partialValue }
}
