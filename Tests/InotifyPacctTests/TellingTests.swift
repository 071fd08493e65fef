import Records
import TestSupport
import Linux
import Testing

@testable import inotify_pacct

struct TellingTests {
  private func exit(
    _ name: String, code: UInt8 = 0, user: UInt32 = 0, cpu: UInt64 = 0
  ) -> ProcessExit {
    var exit = ProcessExit()
    exit.command = FixedText([UInt8](name.utf8).span)
    exit.exitCode = code
    exit.userID = user
    exit.userHundredths = cpu
    exit.systemHundredths = 1
    exit.elapsedHundredths = cpu + 5
    exit.minorFaults = 3
    exit.virtualMemoryBytes = 1024 * cpu
    return exit
  }

  @Test func withoutAFilterEveryProcessIsTold() {
    #expect(Filter().passes(exit("a")))
  }

  @Test func everyFilterMustPass() {
    var filter = Filter()
    filter.onlyFailed = true
    #expect(!filter.passes(exit("a")))
    #expect(filter.passes(exit("a", code: 1)))
    filter.minimumCPUHundredths = 10
    #expect(!filter.passes(exit("a", code: 1, cpu: 8)))
    #expect(filter.passes(exit("a", code: 1, cpu: 9)))
    filter.users = [5, 6]
    #expect(!filter.passes(exit("a", code: 1, user: 4, cpu: 9)))
    #expect(filter.passes(exit("a", code: 1, user: 6, cpu: 9)))
    filter.add(command: "b")
    filter.add(command: "a-name-longer-than-15-bytes")
    #expect(!filter.passes(exit("a", code: 1, user: 6, cpu: 9)))
    #expect(filter.passes(exit("b", code: 1, user: 6, cpu: 9)))
    #expect(!filter.passes(exit("bb", code: 1, user: 6, cpu: 9)))
    #expect(filter.passes(exit("a-name-longer-t", code: 1, user: 6, cpu: 9)))
  }

  @Test func happeningsKeepTheirOrderAndAreBounded() {
    var happenings = Happenings()
    #expect(happenings.first == nil)
    for state in [.missing, .missing, .rotated, .missing] as [AccountingState.State] {
      happenings.append(state)
    }
    #expect(happenings.count == 3)
    for state in [.missing, .rotated, .missing] as [AccountingState.State] {
      #expect(happenings.first == state)
      happenings.removeFirst()
    }
    for number in 0..<100 { happenings.append(number % 2 == 0 ? .unreadable : .on) }
    #expect(happenings.count == 16)
    #expect(happenings.first == .unreadable)
  }

  @Test func processesAreAddedUpByName() {
    var table = SummaryTable()
    table.add(exit("a", cpu: 2))
    table.add(exit("b"))
    table.add(exit("a", code: 3, cpu: 7))
    #expect(table.count == 2)
    let summary = table[0]
    #expect(summary.command.string == "a" && !summary.isOther)
    #expect(summary.processes == 2 && summary.failed == 1 && summary.endedBySignal == 0)
    #expect(summary.userHundredths == 9 && summary.systemHundredths == 2)
    #expect(summary.elapsedHundredths == 19 && summary.longestHundredths == 12)
    #expect(summary.minorFaults == 6 && summary.largestMemoryBytes == 7168)
    table.removeAll()
    #expect(table.count == 0)
    table.add(exit("b"))
    #expect(table[0].command.string == "b" && table[0].processes == 1)
  }

  @Test func whatDoesNotFitIsOther() {
    var table = SummaryTable()
    for round in 0..<3 {
      for number in 0..<1000 { table.add(exit("name-\(number)", code: UInt8(round))) }
    }
    #expect(table.count == SummaryTable.capacity + 1)
    let rows = (0..<table.count).map { table[$0] }
    #expect(rows.allSatisfy { $0.isOther || $0.processes == 3 })
    #expect(rows.last?.isOther == true && rows.last?.command.string == "other")
    #expect(rows.reduce(0) { $0 + $1.processes } == 3000)
    #expect(rows.reduce(0) { $0 + $1.failed } == 2000)
  }

  @Test func aProcessThatIsNamedOtherIsNotTheOthers() {
    var table = SummaryTable()
    table.add(exit("other"))
    #expect(table.count == 1 && !table[0].isOther)
  }

  @Test func theElapsedTimeOfABadRecordDoesNotOverflow() {
    var table = SummaryTable()
    var endless = exit("a")
    endless.elapsedHundredths = UInt64.max
    table.add(endless)
    table.add(endless)
    #expect(table[0].elapsedHundredths == UInt64.max)
  }
}

struct SpaceTests {
  @Test func thresholdsAreRead() {
    let thresholds = SpaceThresholds(parsing: ([UInt8]("4\t2\t30\n".utf8)).span)
    #expect(thresholds == SpaceThresholds())
    #expect(SpaceThresholds(parsing: [UInt8]("10 5 1".utf8).span)?.suspend == 5)
  }

  @Test(arguments: ["", "\n", "4\t2\n", "4 2 30 1", "a b c", "4 -2 30", "4 2 99999999999999999999"])
  func otherContentIsRefused(_ text: String) {
    #expect(SpaceThresholds(parsing: [UInt8](text.utf8).span) == nil)
  }

  @Test(arguments: [(0, true), (19, true), (20, true), (21, false), (1000, false)])
  func atTwoPercentAccountingStops(_ available: UInt64, _ stops: Bool) {
    let space = FreeSpace(blockSize: 4096, blocks: 1000, available: available)
    #expect(SpaceThresholds().suspends(space) == stops)
  }

  /// ramfs says so; the kernel never writes a record there.
  @Test func aFileSystemWithoutSizeStopsAccounting() {
    #expect(SpaceThresholds().suspends(FreeSpace(blockSize: 4096, blocks: 0, available: 0)))
  }

  @Test func thresholdsSurviveMutations() {
    var random = SeededNumbers(seed: 7)
    for _ in 0..<20_000 {
      var bytes = [UInt8]("4\t2\t30\n".utf8)
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<7, using: &random)] = .random(in: 0...255, using: &random)
      }
      guard let read = SpaceThresholds(parsing: bytes.span) else { continue }
      #expect(read.resume <= 9_999_999 && read.suspend <= 9_999_999)
    }
  }
}
