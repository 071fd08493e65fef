import Testing

@testable import dlt_proc_watch

/// The line of /proc/[pid]/stat.
struct StatisticsTests {
  private static let rest = " S 1 1 1 0 -1 4 5240 0 0 0 44 5 0 0 20 0 7 0 187711 23511040 5395 1\n"

  @Test func theFieldsAreThoseOfTheManPage() throws {
    let line = Array(("30154 (mco-audioApp)" + Self.rest).utf8)
    let statistics = try #require(ProcessStatistics(of: line))
    #expect(statistics.processID == 30_154)
    #expect(Array(line[statistics.comm]) == Array("mco-audioApp".utf8))
    #expect(statistics.userTicks == 44)
    #expect(statistics.systemTicks == 5)
    #expect(statistics.threads == 7)
    #expect(statistics.startTicks == 187_711)
    #expect(statistics.virtualBytes == 23_511_040)
    #expect(statistics.residentPages == 5395)
  }

  @Test(arguments: [
    "a b) c)", "(a b) c)", ") R 1 1 1 0", "", "))))", "((((", " ", "a\nb",
    "kworker/u8:2-events_unbound",
    ") R 1 1 1 0 -1 4 5 0 0 0 9 9 0 0 20 0 7 0 1 1 1 1",
  ]) func commMayHoldAnything(_ comm: String) throws {
    let line = Array(("7 (\(comm))" + Self.rest).utf8)
    let statistics = try #require(ProcessStatistics(of: line))
    #expect(Array(line[statistics.comm]) == Array(comm.utf8))
    #expect(statistics.userTicks == 44)
  }

  @Test func commMayBeNoUTF8() throws {
    let line = Array("7 (".utf8) + [0xFF, 0xC3, 0x28, 0x80] + Array((")" + Self.rest).utf8)
    let statistics = try #require(ProcessStatistics(of: line))
    #expect(Array(line[statistics.comm]) == [0xFF, 0xC3, 0x28, 0x80])
  }

  /// What dlt-system cuts at 1023 bytes: 5395 may have been 53951.
  @Test func aCutNumberIsNotANumber() {
    let line = Array(("7 (x)" + Self.rest).utf8)
    let end = line.count - " 1\n".utf8.count
    for length in 0...end {
      let cut = Array(line[..<length])
      #expect(ProcessStatistics(of: cut) == nil, "\(length) bytes")
    }
    let whole = Array(line[...end])
    #expect(ProcessStatistics(of: whole) != nil)
  }

  @Test(arguments: [
    "", " ", "x", "7", "7 x", "7 (", "7 ()", "7 (x", "7 x) S 1", "-7 (x) S", "99999999999 (x) S",
    "7 (x) S 1 1 1 0 -1 4 5240 0 0 0 -44 5 0 0 20 0 7 0 187711 23511040 5395 1",
    "7 (x) S 1 1 1 0 -1 4 5240 0 0 0 44 5 0 0 20 0 7 0 99999999999999999999 23511040 5395 1",
    "7 (x) S 1 1 1 0 -1 4 5240 0 0 0 44 5  0 0 20 0 7 0 187711 23511040 5395 1",
    "7 (x)S 1 1 1 0 -1 4 5240 0 0 0 44 5 0 0 20 0 7 0 187711 23511040 5395 1",
  ]) func whatIsNoSuchLineIsRefused(_ text: String) {
    let line = Array(text.utf8)
    #expect(ProcessStatistics(of: line) == nil)
  }

  /// proc_pid_stat(5) of a 32-bit kernel: rsslim is 4294967295, all else is alike.
  @Test func a32BitKernelIsRead() throws {
    let line = Array(
      ("412 (dlt-daemon) S 1 412 412 0 -1 1077936384 391 0 0 0 812 1440 0 0 20 0 1 0 913 4276224 "
        + "511 4294967295 65536 134924 2129116432 0 0 0 0 4096 1 0 0 0 17 2 0 0 0 0 0 0 0 0 0 0 0 "
        + "0 0\n").utf8)
    let statistics = try #require(ProcessStatistics(of: line))
    #expect(statistics.userTicks + statistics.systemTicks == 2252)
    #expect(statistics.residentPages == 511)
  }
}
