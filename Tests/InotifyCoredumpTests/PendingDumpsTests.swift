import Records
import Testing

@testable import inotify_coredump

struct PendingDumpsTests {
  private let alone = FilePolicy(journalWait: 0)
  private let withJournal = FilePolicy(journalWait: 5)
  private let quiet = PendingDumps.quietTime

  private func stage(
    _ policy: FilePolicy, _ file: CoreDumpFile, isClosed: Bool = false,
    before: PendingDump.Stage = .growing(size: .max)
  ) -> PendingDump.Stage? {
    policy.stage(file, isClosed: isClosed, before: before, 100)?.stage
  }

  @Test func aFileWithAttributesIsWholeAtOnce() {
    let file = CoreDumpFile.file(size: 0, isDescribed: true)
    #expect(stage(alone, file) == .ready)
    #expect(stage(withJournal, file) == .waiting)
    #expect(withJournal.stage(file, isClosed: false, before: nil, 100)?.due == 105)
  }

  @Test func aFileWithoutAttributesIsWholeWhenItIsClosed() {
    let file = CoreDumpFile.file(size: 9, isDescribed: false)
    #expect(stage(alone, file) == .growing(size: 9))
    #expect(stage(alone, file, isClosed: true) == .ready)
    #expect(alone.stage(file, isClosed: false, before: nil, 100)?.due == 100 + quiet)
  }

  @Test func aFileWithoutAttributesIsWholeWhenItNoLongerGrows() {
    let file = CoreDumpFile.file(size: 9, isDescribed: false)
    #expect(stage(alone, file, before: .growing(size: 8)) == .growing(size: 9))
    #expect(stage(alone, file, before: .growing(size: 9)) == .ready)
    let unreadable = CoreDumpFile.unreadable(size: 9, errno: 13)
    #expect(stage(alone, unreadable) == .growing(size: 9))
    #expect(stage(withJournal, unreadable, before: .growing(size: 9)) == .waiting)
  }

  @Test func aFileThatIsGoneWasADumpAllTheSame() {
    #expect(stage(alone, .missing) == .ready)
    #expect(stage(withJournal, .missing) == .waiting)
  }

  @Test func whatIsNoFileIsNoDump() {
    #expect(stage(alone, .other) == nil)
  }

  @Test func theEarliestIsDueFirst() {
    var pending = PendingDumps()
    #expect(pending.nextDue == nil && pending.ready == nil)
    for (time, due) in [(1, 30), (2, 10), (3, 20)] as [(UInt64, UInt64)] {
      let dump = PendingDump(.at(time), name: [], CoreDump())
      (dump.stage, dump.due) = (.waiting, due)
      pending.append(dump)
    }
    #expect(pending.nextDue == 10)
    #expect(pending.due(9) == nil)
    #expect(pending.due(10)?.key == .at(2))
    pending[.at(2)]?.stage = .ready
    #expect(pending.ready?.key == .at(2))
    #expect(pending.nextDue == 20)
    pending.remove(pending.ready!)
    #expect(pending.ready == nil && pending[.at(2)] == nil)
  }
}
