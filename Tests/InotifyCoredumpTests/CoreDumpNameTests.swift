import Foundation
import Records
import TestSupport
import Linux
import Testing

@testable import inotify_coredump

struct CoreDumpNameTests {
  private func parsed(_ bytes: [UInt8]) -> CoreDumpName? { CoreDumpName(parsing: bytes.span) }

  @Test(arguments: try Fixture.lines("names"))
  func namesOfAllVersionsAreRead(_ line: [UInt8]) throws {
    let parts = line.split(separator: UInt8(ascii: "\t"))
    let name = try #require(parsed(Array(parts[1])))
    var boot: [UInt8] = []
    name.key.boot.appendText(to: &boot)
    let said = [
      printable(name.comm.array), "\(name.uid)", String(decoding: boot, as: UTF8.self),
      "\(name.key.pid)", "\(name.key.time)", "\(name.compression.name)",
    ]
    // What comm holds is written with \xNN here too.
    let expected = String(decoding: parts[0], as: UTF8.self)
      .replacingOccurrences(of: "\\x20", with: " ").replacingOccurrences(of: "\\x2e", with: ".")
      .replacingOccurrences(of: "\\x2f", with: "/")
    #expect(said.joined(separator: " ") == expected)
  }

  @Test(arguments: try Fixture.lines("not-names"))
  func otherNamesAreRejected(_ line: [UInt8]) {
    #expect(parsed(line) == nil)
  }

  @Test func everyTruncationIsRejectedOrAnotherDump() throws {
    for line in try Fixture.lines("names") {
      let name = Array(line.split(separator: UInt8(ascii: "\t"))[1])
      let whole = try #require(parsed(name))
      for count in 0..<name.count {
        guard let cut = parsed(Array(name.prefix(count))) else { continue }
        #expect(cut.key.boot == whole.key.boot && cut.key.pid == whole.key.pid)
        #expect(cut.comm == whole.comm && cut.uid == whole.uid)
      }
    }
  }

  @Test func aLongCommIsCutAndSaysSo() throws {
    let comm = String(repeating: "a\\x2e", count: 30)
    let name = try #require(
      parsed(Array("core.\(comm).0.43908254216b467b81453543fe292e1a.1.1795228999000000".utf8)))
    #expect(name.comm.count == 40 && name.comm.isCut)
    #expect(name.comm.string == String(repeating: "a.", count: 20))
  }

  @Test func anyBytesAreADumpWithinTheirLimitsOrNone() throws {
    let seed: UInt64 = 20_261_121
    var random = SeededNumbers(seed: seed)
    let lines = try Fixture.lines("names") + Fixture.lines("not-names")
    for _ in 0..<20_000 {
      let bytes = random.mutated(lines.randomElement(using: &random)!)
      guard let name = parsed(bytes) else { continue }
      #expect(name.key.pid > 0 && bytes.starts(with: Array("core.".utf8)), "seed \(seed)")
      #expect(name.comm.count <= bytes.count, "seed \(seed)")
    }
  }

  @Test func timesOfFewDigitsAreSeconds() {
    func time(_ text: String) -> UInt64? { crashTime(parsing: [UInt8](text.utf8).span) }
    #expect(time("1416300000") == 1_416_300_000_000_000)
    #expect(time("1416300000000000") == 1_416_300_000_000_000)
    #expect(time("0") == 0)
    #expect(time("99999999999") == 99_999_999_999_000_000)
    #expect(time("100000000000") == 100_000_000_000)
    for text in ["", "-1", "1.5", "18446744073709551616", " 1", "1 "] { #expect(time(text) == nil) }
  }

  @Test func aBootIDIsThirtyTwoDigits() {
    func boot(_ text: String) -> BootID? { BootID(parsing: [UInt8](text.utf8).span) }
    let hyphens = boot("43908254-216b-467b-8145-3543fe292e1a")
    #expect(hyphens != nil && hyphens == boot("43908254216b467b81453543FE292E1A"))
    #expect(boot("43908254216b467b81453543fe292e1a")?.high == 0x4390_8254_216b_467b)
    #expect(boot("43908254216b467b81453543fe292e1a")?.low == 0x8145_3543_fe29_2e1a)
    for text in ["", "43908254216b467b81453543fe292e1", "43908254216b467b81453543fe292e1a0"] {
      #expect(boot(text) == nil)
    }
  }
}
