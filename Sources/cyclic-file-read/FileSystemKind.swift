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

  /// Whether the type is one of the words, between spaces, of a list.
  private static func lists(
    _ words: StaticString, _ type: Range<Int>, _ text: Span<UInt8>
  ) -> Bool {
    words.withUTF8Buffer { list in
      var start = 1
      while start + type.count < list.count {
        if list[start - 1] == UInt8(ascii: " "),
          list[start + type.count] == UInt8(ascii: " "),
          type.allSatisfy({ text[$0] == list[start + $0 - type.lowerBound] })
        {
          return !type.isEmpty
        }
        start += 1
      }
      return false
    }
  }
}
