import Testing

@testable import Records

struct CoreDumpTests {
  private var dump: CoreDump {
    var dump = CoreDump()
    dump.crashTimeMicroseconds = 1_795_228_999_000_000
    dump.crashBootID = FixedText("43908254-216b-467b-8145-3543fe292e1a")
    dump.comm = FixedText("Web Content")
    dump.pid = 4711
    dump.uid = 1000
    dump.signal = 11
    dump.storage = .file
    dump.compression = .zstandard
    dump.fileSizeBytes = 1_234_567
    dump.fileDiskBytes = 1_236_992
    dump.isTruncated = true
    dump.hasJournalEntry = true
    dump.executable = FixedText("/usr/lib/firefox-esr/firefox-esr")
    for _ in 0..<6 {
      dump.commandLine.append([UInt8]("/usr/lib/firefox-esr/firefox-esr -contentproc ".utf8).span)
    }
    dump.unit = FixedText("user@1000.service")
    dump.userUnit = FixedText("app-firefox.scope")
    dump.hostname = FixedText("raspberrypi")
    return dump
  }

  @Test func coreDump() throws {
    try Golden.expect(dump, isWrittenAs: "core_dump.v1")
  }

  @Test func itFitsIntoARecord() {
    var length = FieldLength()
    var dump = dump
    dump.visit(&length)
    #expect(length.bytes == 912)
    #expect(RecordHeader.encodedSize + length.bytes <= RecordHeader.maximumRecordSize)
  }

  @Test func whatIsNotKnownIsLeftOut() throws {
    let members = try publishedMembers(Golden("core_dump.v1").bytes)
    #expect(members["gid"] == nil && members["core_limit_bytes"] == nil)
    #expect(members["signal_name"] as? String == "SIGSEGV")
    #expect(members["command_line_cut"] as? Bool == true)
    #expect(members["crash_time_seconds"] as? Double == 1_795_228_999)
  }

  @Test func itIsAnEventWithATopicOfItsProgram() {
    var topic = TopicLevels()
    dump.appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/dump/Web Content")
    #expect(dump.isEvent)
  }
}
