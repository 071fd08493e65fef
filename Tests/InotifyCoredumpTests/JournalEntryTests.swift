import Testing

@testable import inotify_coredump

struct JournalEntryTests {
  @Test func systemdAndTheUserMayWrite() {
    #expect(JournalEntry.mayBeWritten(by: 0, about: 1000))
    #expect(JournalEntry.mayBeWritten(by: 998, about: 33))
    #expect(JournalEntry.mayBeWritten(by: 1000, about: 1000))
    #expect(JournalEntry.mayBeWritten(by: 61_200, about: 61_200))
    #expect(JournalEntry.mayBeWritten(by: nil, about: 1000))
  }

  @Test func anotherUserMayNot() {
    #expect(!JournalEntry.mayBeWritten(by: 1001, about: 1000))
    #expect(!JournalEntry.mayBeWritten(by: 1001, about: 0))
    #expect(!JournalEntry.mayBeWritten(by: 1001, about: nil))
  }

  @Test func aPathEndsInItsName() {
    func last(_ text: String) -> String {
      String(decoding: JournalEntry.lastPart(of: [UInt8](text.utf8).span), as: UTF8.self)
    }
    #expect(last("/var/lib/systemd/coredump/core.x") == "core.x")
    #expect(last("core.x") == "core.x")
    #expect(last("/") == "")
    #expect(last("") == "")
    #expect(last("a/..") == "..")
  }
}
