import CLinux
import Foundation
import TestSupport
import Testing

@testable import Linux

struct FileDescriptorTests {
  @Test func anErrorNamesTheCallThePathAndTheReason() {
    do throws(SystemError) {
      _ = try readFile("/nowhere/at/all")
      Issue.record("it was read")
    } catch {
      #expect(error.description == "open /nowhere/at/all: No such file or directory")
      #expect(error.errno == ENOENT)
    }
  }

  @Test func aFileIsReadToItsEndButNotBeyondTheLimit() throws {
    let path = NSTemporaryDirectory() + "st-file-\(getpid())"
    defer { unlink(path) }
    for length in [0, 1, 4095, 4096, 4097, 10_000] {
      try Data(repeating: 7, count: length).write(to: URL(filePath: path))
      #expect(try readFile(Text(path), limit: 10_000).count == length)
      if length > 0 {
        #expect(throws: SystemError.self) { try readFile(Text(path), limit: length - 1) }
      }
    }
  }

  @Test func aDescriptorIsClosedWithItsOwner() throws {
    var raw: Int32 = -1
    do {
      let file = try FileDescriptor.open("/dev/null")
      raw = file.raw
      #expect(fcntl(raw, F_GETFD) == FD_CLOEXEC)
    }
    // Another test of this process may have got the number meanwhile, but not for /dev/null.
    var status = stat()
    let isGone = fstat(raw, &status) != 0 || status.st_mode & S_IFMT != S_IFCHR
    #expect(isGone)
  }
}
