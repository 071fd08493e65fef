import Foundation
import Records
import TestSupport
import Testing

@testable import epoll_psi

struct PressureParsingTests {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/pressure")

  /// Every pressure file of every capture.
  static var captures: [String] {
    get throws {
      try #require(FileManager.default.enumerator(atPath: fixtures.path()))
        .compactMap { $0 as? String }
        .filter { $0.hasSuffix(".pressure") || $0.contains("/pressure/") }.sorted()
    }
  }

  private func parse(_ text: String) throws -> Pressure {
    try Pressure(parsing: [UInt8](text.utf8).span)
  }

  private func capture(_ name: String) throws -> Pressure {
    try Pressure(parsing: [UInt8](Data(contentsOf: Self.fixtures.appending(path: name))).span)
  }

  @Test func bothLinesAreTaken() throws {
    let pressure = try capture("linux-6.18-amd64/pressure/memory")
    #expect(pressure.some.average10TenThousandths == 0)
    #expect(pressure.some.average60TenThousandths == 81)
    #expect(pressure.some.average300TenThousandths == 54)
    #expect(pressure.some.totalMicroseconds == 2_253_761)
    #expect(pressure.full.average60TenThousandths == 78)
    #expect(pressure.full.totalMicroseconds == 2_178_349)
    #expect(pressure.totalMicroseconds(.some) == 2_253_761)
    #expect(pressure.totalMicroseconds(.full) == 2_178_349)
  }

  @Test func theCPUOfAnOldKernelHasNoFull() throws {
    let pressure = try capture("linux-5.10-armhf/pressure/cpu")
    #expect(pressure.some.totalMicroseconds == 412_876_313)
    #expect(pressure.full == Pressure.Line())
    #expect(pressure.totalMicroseconds(.full) == nil)
  }

  @Test func interruptsHaveNoSome() throws {
    let pressure = try capture("linux-6.6-arm64/pressure/irq")
    #expect(pressure.some == Pressure.Line())
    #expect(pressure.full.average10TenThousandths == 13)
    #expect(pressure.full.totalMicroseconds == 214_598_301)
  }

  @Test func aHundredPercentAndTotalsBeyond32BitsAreTaken() throws {
    let pressure = try capture("linux-6.12-arm64-thrashing/pressure/memory")
    #expect(pressure.some.average10TenThousandths == 10_000)
    #expect(pressure.some.totalMicroseconds == 8_234_567_890_123)
  }

  @Test func otherLinesAndKeysAreSteppedOver() throws {
    let pressure = try parse(
      "most avg10=1\nsome avg10=1.00 avg30=9.99 avg60=2.00 avg300=3.00 total=4 worst=5\n")
    #expect(pressure.some.average60TenThousandths == 200)
    #expect(pressure.some.totalMicroseconds == 4)
  }

  @Test(arguments: [
    "", "\n", "some", "some\n", "some \n", "full avg10=0.00\n", "\u{0}\u{0}\u{0}",
    // One of four missing.
    "some avg60=0.00 avg300=0.00 total=0\n", "some avg10=0.00 avg300=0.00 total=0\n",
    "some avg10=0.00 avg60=0.00 total=0\n", "some avg10=0.00 avg60=0.00 avg300=0.00\n",
    // No numbers.
    "some avg10= avg60=0.00 avg300=0.00 total=0\n",
    "some avg10=.00 avg60=0.00 avg300=0.00 total=0\n",
    "some avg10=0.0 avg60=0.00 avg300=0.00 total=0\n",
    "some avg10=0.000 avg60=0.00 avg300=0.00 total=0\n",
    "some avg10=-1.00 avg60=0.00 avg300=0.00 total=0\n",
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=\n",
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=-1\n",
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=0x1\n",
    // Too large.
    "some avg10=99999999999999999999.00 avg60=0.00 avg300=0.00 total=0\n",
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=18446744073709551615\n",
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=18446744073709551616\n",
    // Twice.
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
      + "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    // The last line does not end.
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=12",
  ])
  func whatIsNoPressureIsRejected(_ text: String) {
    #expect(throws: PressureFormatError.self) { try parse(text) }
  }

  @Test func theErrorNamesTheLine() {
    #expect(throws: PressureFormatError(line: 2, reason: "")) {
      try parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=x\n")
    }
  }

  /// Cut anywhere but at the end of a line, a capture is refused.
  @Test(arguments: try captures) func everyTruncationIsRejected(_ name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: Self.fixtures.appending(path: name)))
    for length in 0..<bytes.count {
      let part = Array(bytes[..<length])
      if length > 0 && part.last == UInt8(ascii: "\n") {
        #expect(throws: Never.self) { try Pressure(parsing: part.span) }
      } else {
        #expect(throws: PressureFormatError.self) { try Pressure(parsing: part.span) }
      }
    }
  }

  @Test func everyMutationIsRejectedOrIsAPressure() throws {
    let seed = UInt64(20_261_121)
    var random = SeededNumbers(seed: seed)
    let captures = try Self.captures.map {
      [UInt8](try Data(contentsOf: Self.fixtures.appending(path: $0)))
    }
    var accepted = 0
    for round in 0..<20_000 {
      var bytes = captures.randomElement(using: &random)!
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = .random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
        default: bytes.removeSubrange(place...)
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "\n")] }
      }
      guard let pressure = try? Pressure(parsing: bytes.span) else { continue }
      accepted += 1
      let comment = Comment(rawValue: "seed \(seed), round \(round)")
      for line in [pressure.some, pressure.full] where line != Pressure.Line() {
        // A line is whole, and no number is the one that means none.
        #expect(line.average10TenThousandths ?? .max < .max, comment)
        #expect(line.average60TenThousandths ?? .max < .max, comment)
        #expect(line.average300TenThousandths ?? .max < .max, comment)
        #expect(line.totalMicroseconds ?? .max < .max, comment)
      }
      #expect(pressure != Pressure(), comment)
    }
    #expect(accepted > 500)
  }
}
