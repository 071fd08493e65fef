import TestSupport
import Testing

@testable import stats_recording

struct CSVTests {
  private func rows(_ text: String, chunk: Int = .max) -> (rows: [String], rest: Int) {
    var rows = CSVRows()
    var found: [String] = []
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = min(chunk, bytes.count)
      rows.append(bytes.prefix(count))
      bytes = bytes.dropFirst(count)
      while let row = rows.next() { found.append(String(decoding: row, as: UTF8.self)) }
    }
    return (found, rows.remainder)
  }

  @Test(arguments: [1, 2, 3, 7, 1000]) func aNewlineInQuotesEndsNoRow(_ chunk: Int) {
    let found = rows("a,\"b\nc\"\n1,\"\"\"\n\"\r\ntorn,\"\n", chunk: chunk)
    #expect(found.rows == ["a,\"b\nc\"", "1,\"\"\"\n\""])
    #expect(found.rest == 7)
  }

  @Test func anAbsentCellIsNoEmptyText() throws {
    let cells = try CSVRows.cells(Array(#"1,,"","a""b,c",true"#.utf8)[...])
    #expect(cells.map(\.isAbsent) == [false, true, false, false, false])
    #expect(cells.map(\.isQuoted) == [false, false, true, true, false])
    #expect(cells.map(\.text) == ["1", "", "", #"a"b,c"#, "true"])
  }

  @Test(arguments: [#"a"b"#, #""a"#, #""a"b"#, #"1,"a"2"#])
  func whatIsNoRowIsRefused(_ row: String) {
    #expect(throws: CSVError.self) { try CSVRows.cells(Array(row.utf8)[...]) }
  }

  @Test func numbersThatWereSeenAreKnownLikeInASetOfAll() {
    var numbers = SeededNumbers(seed: 7)
    var (ranges, all) = (SequenceSet(), Set<UInt64>())
    for _ in 0..<20_000 {
      let number = numbers.next() % 3000
      let (isNew, isNewToAll) = (ranges.insert(number), all.insert(number).inserted)
      #expect(isNew == isNewToAll)
    }
    #expect(ranges.count == UInt64(all.count))
    for edge in [0, UInt64.max, UInt64.max - 1] {
      let (isNew, isNewToAll) = (ranges.insert(edge), all.insert(edge).inserted)
      #expect(isNew == isNewToAll)
    }
    #expect(ranges.ranges.reduce(0) { $0 + $1.count } == all.count)
    for (left, right) in zip(ranges.ranges, ranges.ranges.dropFirst()) {
      #expect(left.upperBound + 1 < right.lowerBound)
    }
  }

  @Test func manyGapsForgetTheLowestNumbersAlone() {
    var ranges = SequenceSet()
    for number in 0..<UInt64(SequenceSet.capacity + 10) { _ = ranges.insert(2 * number) }
    #expect(ranges.ranges.count == SequenceSet.capacity)
    let isNew = ranges.insert(2 * UInt64(SequenceSet.capacity))
    #expect(!isNew)
  }

  @Test func streamsInOrderAreReadAsOne() throws {
    var numbers = SeededNumbers(seed: 3)
    let streams = (0..<20).map { _ in
      (0..<Int(numbers.next() % 50)).map { _ in Int64(bitPattern: numbers.next() % 1000) }.sorted()
    }
    var merge = try OrderedMerge(
      streams.map { stream in
        var rest = stream[...]
        return { rest.popFirst() }
      }, key: { $0 })
    var merged: [Int64] = []
    while let next = try merge.next() { merged.append(next) }
    #expect(merged == streams.joined().sorted())
  }

  @Test func nothingThatADeviceIsCalledLeavesTheFolder() {
    let names = [
      "..", ".", "../../etc/passwd", "a/b", "", "pi.local", "pi%2elocal", "é", "\u{0}", " ", "-rf",
      String(repeating: "x", count: 5000), String(repeating: "x", count: 5001),
    ]
    let folders = names.map(CSVName.folder)
    #expect(Set(folders).count == names.count)
    for folder in folders {
      #expect(
        folder.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "%-_".contains($0)) })
      #expect(folder.utf8.count < 100)
    }
  }

  @Test func aFinishedFileIsNamedByItsFirstArrival() {
    let name = CSVName.rotated("epoll-psi.pressure_stall", first: 1_795_644_575_046_234)
    #expect(name == "epoll-psi.pressure_stall.20261125T220935-046234Z.csv")
    #expect(CSVName.activeStem(name) == nil)
    #expect(CSVName.activeStem("epoll-psi.pressure_stall.csv") == "epoll-psi.pressure_stall")
    #expect(CSVName.stem(ofFile: name) == "epoll-psi.pressure_stall")
    #expect(CSVName.stem(ofFile: "3com.7.csv") == "3com.7")
  }

  @Test func sizesAndTimesAreThoseThatPeopleWrite() {
    #expect(ByteCount(argument: "64KiB")?.bytes == 65536)
    #expect(ByteCount(argument: "500")?.bytes == 500)
    #expect(ByteCount(argument: "2GiB")?.bytes == 2 << 30)
    for wrong in ["", "-1", "0", "5MB", "KiB", "9000000000TiB", "1.5MiB"] {
      #expect(ByteCount(argument: wrong) == nil, "\(wrong)")
    }
    #expect(ByteCount.words(1_572_864) == "1.5 MiB")
    #expect(PointInTime(argument: "1795644575.5")?.nanoseconds == 1_795_644_575_500_000_000)
    let moment: Int64 = 1_795_644_575_000_000_000
    #expect(PointInTime(argument: "2026-11-25T22:09:35Z")?.nanoseconds == moment)
    #expect(PointInTime(argument: "2026-11-25T23:09:35+01:00")?.nanoseconds == moment)
    #expect(PointInTime(argument: "2026-11-25T20:39:35-0130")?.nanoseconds == moment)
    for wrong in [
      "", "yesterday", "2026-13-01", "2026-02-31", "2026-11-25T25:00Z", "2026-11-25T22",
    ] {
      #expect(PointInTime(argument: wrong) == nil, "\(wrong)")
    }
  }
}
