import CLinux
import Linux

/// Reads the files of processes: /proc/PID/stat and others.
///
/// Where `stat` is read often it stays open, as far as the limit of descriptors allows: opening and
/// closing it takes 4 of the 8 microseconds that a process costs. An open one holds 5 KB of the
/// kernel's memory (the file, its inode, the page that the text is made in), so that a machine that
/// is looked at now and then is better off without.
struct ProcessFiles: ~Copyable {
  private let procfs: FileDescriptor
  /// How many may stay open.
  private let limit: Int
  private var openCount = 0
  private(set) var text = [UInt8](repeating: 0, count: 2048)
  private var name: [UInt8] = []

  /// Where processes are looked at this often or more often, their files stay open.
  static var oftenNanoseconds: UInt64 { 2_000_000_000 }

  /// Errors: those of open(2) on the folder.
  init(procfs: Text, staysOpen: Bool) throws(SystemError) {
    let folder = try FileDescriptor.open(procfs, O_RDONLY | O_DIRECTORY)
    self.procfs = folder
    limit = staysOpen ? max(0, allowMoreDescriptors() - Self.reserve) : 0
    name.reserveCapacity(32)
  }

  /// Descriptors for all else that the program opens.
  private static var reserve: Int { 256 }

  /// Reads `stat` of a process into ``text``; `descriptor` is what this left there the last time, -1
  /// at first. 0 or less: it has ended, or is not for us.
  mutating func readStatus(_ processID: Int32, _ descriptor: inout Int32) -> Int {
    if descriptor >= 0 {
      let count = pread(descriptor, &text, text.count, 0)
      if count > 0 { return count }
      // It has ended (ESRCH); the id may be another one's by now.
      close(&descriptor)
    }
    guard openCount < limit else { return read(processID, "/stat") }
    descriptor = open(processID, "/stat")
    guard descriptor >= 0 else { return -1 }
    openCount += 1
    return pread(descriptor, &text, text.count, 0)
  }

  /// Closes what ``readStatus(_:_:)`` left open, if it did.
  mutating func close(_ descriptor: inout Int32) {
    guard descriptor >= 0 else { return }
    _ = CLinux.close(descriptor)
    descriptor = -1
    openCount -= 1
  }

  /// Reads a file of a process into ``text``; 0 or less: it has ended, or is not for us.
  mutating func read(_ processID: Int32, _ file: StaticString) -> Int {
    let descriptor = open(processID, file)
    guard descriptor >= 0 else { return -1 }
    let count = CLinux.read(descriptor, &text, text.count)
    _ = CLinux.close(descriptor)
    return count
  }

  private mutating func open(_ processID: Int32, _ file: StaticString) -> Int32 {
    setName(processID, file)
    return name.withUnsafeBytes {
      clinux_openat(procfs.raw, $0.baseAddress, O_RDONLY | O_CLOEXEC)
    }
  }

  /// The effective user of a process, to whom the kernel gives its folder; nil if it has ended.
  mutating func user(of processID: Int32) -> UInt32? {
    setName(processID, "")
    var status = stat()
    let result = name.withUnsafeBytes {
      clinux_fstatat(procfs.raw, $0.baseAddress, &status)
    }
    return result == 0 ? status.st_uid : nil
  }

  /// `4821/stat` and a NUL.
  private mutating func setName(_ processID: Int32, _ file: StaticString) {
    name.removeAll(keepingCapacity: true)
    var divisor: Int32 = 1
    while processID / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      name.append(UInt8(ascii: "0") + UInt8(processID / divisor % 10))
      divisor /= 10
    }
    file.withUTF8Buffer { name.append(contentsOf: $0) }
    name.append(0)
  }
}
