import CLinux
import Linux

extension Text {
  /// The path of something in the folder that this is.
  func appending(_ name: StaticString, _ suffix: StaticString = "") -> Text {
    "\(self)/\(name)\(suffix)"
  }

  func appending(_ name: UnsafePointer<CChar>) -> Text { "\(self)/\(Text(cString: name))" }

  /// The inode of the folder that this is; nil if it is none. stat(2), links are followed.
  var folderInode: UInt64? {
    var status = stat()
    guard stat(c, &status) == 0, status.st_mode & mode_t(S_IFMT) == S_IFDIR else { return nil }
    return UInt64(status.st_ino)
  }
}
