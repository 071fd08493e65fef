import CLinux
import Foundation
import Records
import TestSupport
import Testing

@testable import inotify_pacct

struct ParsingTests {
  /// Line by line and field by field; dump-acct(8) is of the same package as lastcomm(1).
  @Test func theCaptureAgreesWithDumpAcct() throws {
    let lines = try DumpAcct.lines(of: "linux-6.18-amd64")
    let records = try Fixtures.records("linux-6.18-amd64")
    #expect(lines.count == records.count)
    #expect(records.count >= 30)
    var callers = 0
    for (line, record) in zip(lines, records) {
      do {
        let exit = try ProcessExit(parsing: record.span)
        #expect(DumpAcct(exit) == line)
      } catch AccountingRecordError.callerOfAcct {
        callers += 1
        #expect(line.command == "accton" && line.memory == 0 && line.flags == "     ")
      }
    }
    #expect(callers == 1)
  }

  @Test func bigEndianRecordsHoldTheSame() throws {
    #expect(try Fixtures.exits("big-endian") == Fixtures.exits("linux-6.18-amd64"))
  }

  @Test func recordsOfARaspberryPiAreRead() throws {
    let exits = try Fixtures.exits("raspberry-pi-armhf")
    #expect(
      exits.map(\.command.string) == [
        "dphys-swapfile", "agetty", "bash", "python3", "kworker/u8:2", "chromium-browse",
      ])
    #expect(exits.map(\.terminal.string) == ["", "ttyAMA0", "pts/3", "", "", "tty7"])
    #expect(exits.map(\.exitCode) == [0, 1, 127, 0, 0, 0])
    #expect(exits.map(\.signal) == [0, 0, 0, 11, 0, 6])
    #expect(exits.map(\.dumpedCore) == [false, false, false, true, false, false])
    #expect(exits.map(\.isEvent) == [false, true, true, true, false, true])
    #expect(exits.map(\.forkedWithoutExec) == [false, false, false, false, true, false])
    #expect(exits.map(\.usedSuperuser) == [true, false, false, false, false, false])
    #expect(exits.map(\.elapsedHundredths) == [154, 12, 8_640_000, 30_000_000, 360_000_000, 0])
    #expect(exits.map(\.userHundredths) == [12, 0, 8191, 20_000_768, 0, 0])
    #expect(exits.map(\.systemHundredths) == [40, 0, 8192, 1_000_079_360, 77, 0])
    #expect(exits[3].virtualMemoryBytes == 1 << 30)
    #expect(exits[3].minorFaults == 9_998_336)
    #expect(exits[3].majorFaults == 9000)
    #expect(exits[2].userID == 1000 && exits[2].groupID == 1000)
    #expect(exits[2].processID == 911 && exits[2].parentID == 910)
    #expect(exits[2].startSeconds == 1_700_000_000)
  }

  @Test(
    arguments: [
      ("version-2", 2, 3), ("version-1-m68k", 1, 2), ("version-0", 0, 2),
    ] as [(String, UInt8, Int)])
  func olderVersionsAreToldNotMisread(_ name: String, _ version: UInt8, _ count: Int) throws {
    let records = try Fixtures.records(name)
    #expect(records.count == count)
    for record in records {
      #expect(throws: AccountingRecordError.unsupportedVersion(version)) {
        try ProcessExit(parsing: record.span)
      }
    }
  }

  @Test func whatTheKernelNeverWritesIsNoRecord() throws {
    let results = try Fixtures.records("mixed").map { record -> String in
      do {
        return try ProcessExit(parsing: record.span).command.string
      } catch AccountingRecordError.unsupportedVersion(let version) {
        return "version \(version)"
      } catch {
        return "not a record"
      }
    }
    #expect(
      results == [
        "true", "version 2", "not a record", "sh", "not a record", "not a record", "not a record",
        "not a record", "not a record", "not a record", "", "sh",
      ])
  }

  /// The status is that of the first thread, which ended well; the flag tells of the signal.
  @Test func aSignalAfterTheFirstThreadsEndIsSeenByItsFlag() {
    var bytes = record(1)
    bytes[0] = 0x10
    let exit = try? ProcessExit(parsing: bytes.span)
    #expect(exit?.endedBySignal == true && exit?.signal == 0 && exit?.isEvent == true)
  }

  @Test func onlyWholeRecordsAreRead() throws {
    let whole = try Fixtures.records("linux-6.18-amd64")[1]
    for length in 0..<64 {
      #expect(throws: AccountingRecordError.notARecord) {
        try ProcessExit(parsing: Array(whole[..<length]).span)
      }
    }
    #expect(throws: AccountingRecordError.notARecord) {
      try ProcessExit(parsing: (whole + [0]).span)
    }
  }

  @Test(arguments: Fixtures.all) func mutationsAreReadOrRefused(_ name: String) throws {
    let records = try Fixtures.records(name)
    let seed = UInt64(20_261_121)
    var random = SeededNumbers(seed: seed)
    var read = 0
    for number in 0..<20_000 {
      var bytes = records[number % records.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<64, using: &random)] = .random(in: 0...255, using: &random)
      }
      guard let exit = try? ProcessExit(parsing: bytes.span) else { continue }
      read += 1
      #expect(exit.command.count <= 15 && !exit.command.isCut, "seed \(seed), \(number)")
      #expect(!exit.terminal.isCut, "seed \(seed), \(number)")
      #expect(exit.userHundredths <= 17_177_772_032, "seed \(seed), \(number)")
      #expect(exit.isEvent == (exit.endedBySignal || exit.exitCode != 0))
    }
    #expect(read > 0 || name.hasPrefix("version-") || name == "shifted")
  }

  @Test func noiseIsNearlyNeverARecord() {
    var random = SeededNumbers(seed: 3)
    var read = 0
    for _ in 0..<50_000 {
      let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
      if (try? ProcessExit(parsing: bytes.span)) != nil { read += 1 }
    }
    #expect(read <= 1)
  }
}

/// A line of dump-acct(8), version 6.6.4: times in ticks, memory in KiB.
struct DumpAcct: Equatable {
  var command: String
  var user, system, elapsed, memory, io: Double
  var uid, gid, pid, parent, exitCode: UInt32
  var flags, terminal, start: String

  static func lines(of name: String) throws -> [DumpAcct] {
    let url = Fixtures.folder.appending(path: "\(name).dump-acct.txt")
    let text = try #require(String(data: Data(contentsOf: url), encoding: .isoLatin1))
    // A name may hold a line feed: between two bars stand the date, 24 bytes, and the next name.
    let parts = text.components(separatedBy: "|")
    return try stride(from: 0, to: parts.count - 14, by: 14).map { first in
      let part = { (index: Int) in parts[first + index].trimmingCharacters(in: .whitespaces) }
      let number = { (index: Int) in try #require(UInt32(part(index))) }
      let decimal = { (index: Int) in try #require(Double(part(index))) }
      let name = first == 0 ? parts[0] : String(parts[first].dropFirst(25))
      #expect(part(1) == "v3")
      return DumpAcct(
        command: name.trimmingCharacters(in: .whitespaces), user: try decimal(2),
        system: try decimal(3), elapsed: try decimal(4), memory: try decimal(7),
        io: try decimal(8), uid: try number(5), gid: try number(6), pid: try number(9),
        parent: try number(10), exitCode: try number(12), flags: parts[first + 11],
        terminal: part(13), start: String(parts[first + 14].prefix(24)))
    }
  }
}

extension DumpAcct {
  /// What dump-acct would say of it.
  init(_ exit: ProcessExit) {
    let bytes = (0..<exit.command.count).map { exit.command[$0] }
    let flags = [
      (exit.usedSuperuser, "S"), (exit.forkedWithoutExec, "F"), (false, "P"),
      (exit.dumpedCore, "D"), (exit.endedBySignal, "X"),
    ]
    var time = time_t(exit.startSeconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "%a %b %e %H:%M:%S %Y", &parts)
    self.init(
      command: String(data: Data(bytes), encoding: .isoLatin1)!
        .trimmingCharacters(in: .whitespaces),
      user: Double(exit.userHundredths), system: Double(exit.systemHundredths),
      elapsed: Double(exit.elapsedHundredths), memory: Double(exit.virtualMemoryBytes / 1024),
      io: Double(exit.io), uid: exit.userID, gid: exit.groupID, pid: exit.processID,
      parent: exit.parentID, exitCode: UInt32(exit.exitCode),
      flags: flags.map { $0.0 ? $0.1 : " " }.joined(),
      terminal: exit.terminal.isEmpty ? "__" : exit.terminal.string,
      start: text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
  }
}
