import CLinux

/// What a type of file system means for asking how full it is.
enum FileSystemKind: Equatable {
  /// The kernel answers from its own memory.
  case local
  /// A server or another process answers, or does not.
  case distant
  /// tmpfs and the like: memory, which is counted elsewhere.
  case memory
  /// Never anything but full: images that cannot be written to.
  case image
  /// Holds no files of anybody's.
  case pseudo

  /// The kind of a type as /proc/self/mountinfo names it; what is not known here may be slow.
  init(ofType type: Range<Int>, in text: Span<UInt8>) {
    if Self.lists(Self.localTypes, type, text) {
      self = .local
    } else if Self.lists(Self.pseudoTypes, type, text) {
      self = .pseudo
    } else if Self.lists(" tmpfs ramfs ", type, text) {
      self = .memory
    } else if Self.lists(" squashfs erofs cramfs romfs iso9660 fuse.snapfuse ", type, text) {
      self = .image
    } else {
      self = .distant
    }
  }

  private static var localTypes: StaticString {
    """
     ext4 vfat ext2 ext3 xfs btrfs f2fs exfat ntfs3 msdos fat jffs2 ubifs nilfs2 jfs reiserfs udf \
    bcachefs zfs minix hfs hfsplus ntfs\u{20}
    """
  }

  private static var pseudoTypes: StaticString {
    """
     proc sysfs devtmpfs devpts cgroup cgroup2 mqueue debugfs tracefs securityfs pstore efivarfs \
    bpf configfs fusectl hugetlbfs binfmt_misc autofs rpc_pipefs nsfs selinuxfs smackfs rootfs \
    fuse.lxcfs fuse.gvfsd-fuse fuse.portal usbfs nfsd sockfs pipefs anon_inodefs\u{20}
    """
  }

  /// Whether the type is one of the words, between spaces, of a list; in the text it stands between spaces too.
  private static func lists(
    _ words: StaticString, _ type: Range<Int>, _ text: Span<UInt8>
  ) -> Bool {
    guard type.lowerBound > 0, type.upperBound < text.count else { return false }
    let wanted = text.extracting((type.lowerBound - 1)..<(type.upperBound + 1))
    guard wanted[0] == UInt8(ascii: " "), wanted[wanted.count - 1] == UInt8(ascii: " ") else {
      return false
    }
    return words.withUTF8Buffer { list in
      wanted.withUnsafeBytes {
        clinux_memmem(list.baseAddress, list.count, $0.baseAddress, $0.count) != nil
      }
    }
  }
}
