import CLinux
import Linux
import Records

/// What statvfs(3) says of a path: six numbers, which a child process can send through a pipe.
struct FileSystemAnswer: BitwiseCopyable, Equatable {
  /// errno, or 0 if the rest is right.
  var errno: Int64 = 0
  var sizeBytes: UInt64 = 0
  var freeBytes: UInt64 = 0
  var availableBytes: UInt64 = 0
  var inodeCount: UInt64 = 0
  var freeInodeCount: UInt64 = 0

  init() {}

  /// Asks for the file system at a path, which ends with a NUL.
  init(path: [UInt8]) {
    var status = statvfs()
    guard clinux_statvfs(path, &status) == 0 else {
      errno = Int64(clinux_errno())
      return
    }
    let unit = UInt64(status.f_frsize > 0 ? status.f_frsize : status.f_bsize)
    sizeBytes = UInt64(status.f_blocks) &* unit
    freeBytes = UInt64(status.f_bfree) &* unit
    // Less than nothing where root has used what is reserved; some file systems wrap around.
    let available = UInt64(status.f_bavail)
    availableBytes = available >> 63 == 0 ? available &* unit : 0
    inodeCount = UInt64(status.f_files)
    freeInodeCount = UInt64(status.f_ffree)
  }

  /// A file system without blocks holds nothing that could fill it.
  var isOfPseudoFileSystem: Bool { errno == 0 && sizeBytes == 0 }
}

extension FileSystem {
  mutating func take(_ answer: FileSystemAnswer) {
    isAnswering = true
    sizeBytes = answer.sizeBytes
    freeBytes = answer.freeBytes
    availableBytes = answer.availableBytes
    // btrfs, vfat and others do not count inodes.
    if answer.inodeCount > 0 {
      inodeCount = answer.inodeCount
      freeInodeCount = answer.freeInodeCount
    }
  }
}
