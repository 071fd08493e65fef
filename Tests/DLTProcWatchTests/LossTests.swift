import Records
import Testing

@testable import dlt_proc_watch

/// What is missing is told, and how much.
struct LossTests {
  private var watch = ProcessWatch(WatchSettings())

  @Test mutating func gapsOfTheCounterAreCountedModulo256() {
    for counter in [250, 251, 254, 255, 0, 1, 5] as [UInt8] {
      watch.take(Making(counter: counter).notRunning("x"))
    }
    let losses = watch.losses()
    #expect(losses.map(\.cause) == [.counterGap, .counterGap])
    #expect(losses.map(\.lostMessages) == [2, 3])
    #expect(losses.map(\.session) == [28_995, 28_995])
    #expect(losses.map(\.ecu.string) == ["TGT1", "TGT1"])
  }

  @Test mutating func everySessionAndECUHasACounterOfItsOwn() {
    for counter in 0..<3 as Range<UInt8> {
      watch.take(Making(counter: counter).notRunning("x"))
      watch.take(Making(counter: 100 + counter, session: 1).notRunning("x"))
      watch.take(Making(counter: 200 + counter, ecu: "E2").notRunning("x"))
      watch.take(Making(counter: 30 + counter, session: nil).notRunning("x"))
    }
    #expect(watch.losses().isEmpty)
  }

  /// The counter is one of a context: dlt-system's others count for themselves.
  @Test mutating func theRealStreamHasNoGaps() throws {
    for message in messages(try Fixture.bytes("raw-tcp-stream.bin"), .connection).messages {
      watch.take(message)
    }
    #expect(watch.messageCount == 205)
    #expect(watch.processMessageCount == 101)
    #expect(watch.losses().isEmpty)
  }

  @Test mutating func aTraceThatBeginsAgainIsNoLoss() throws {
    let bytes = try Fixture.bytes("sample.dlt")
    for message in messages(bytes + bytes, .file).messages { watch.take(message) }
    #expect(watch.losses().isEmpty)
  }

  @Test mutating func messagesTakenOutOfTheTraceAreFoundMissing() throws {
    var all = messages(try Fixture.bytes("sample.dlt"), .file).messages
    all.removeSubrange(40..<47)
    for message in all { watch.take(message) }
    #expect(watch.losses().map(\.lostMessages) == [7])
  }

  @Test(arguments: [false, true])
  mutating func theDaemonsOverflowIsTold(_ isBigEndian: Bool) {
    watch.take(Making(isBigEndian: isBigEndian).overflow(1234))
    watch.take(Making(isBigEndian: isBigEndian).overflow(nil))
    let losses = watch.losses()
    #expect(losses.map(\.cause) == [.bufferOverflow, .bufferOverflow])
    #expect(losses.map(\.lostMessages) == [1234, nil])
  }

  @Test mutating func aCutStatIsToldAndNotRead() {
    var line = "7 (x) S 1 1 1 0 -1 4 5240 0 0 0 44 5 0 0 20 0 7 0 187711 23511040 5395"
    watch.take(Making().stat(7, line: line))
    let losses = watch.losses()
    #expect(losses.map(\.cause) == [.unreadable])
    #expect(losses.map(\.lostMessages) == [1])
    line += " "
    watch.take(Making(counter: 1).stat(7, line: line))
    #expect(watch.loads().count == 1)
  }

  @Test mutating func aStatOfAnotherProcessThanTheMessageIsNotRead() {
    watch.take(
      Making().stat(7, line: "8 (x) S 1 1 1 0 -1 4 5 0 0 0 4 5 0 0 20 0 7 0 1 2 3 4\n"))
    #expect(watch.losses().map(\.cause) == [.unreadable])
  }

  @Test mutating func anIdThatIsNoneIsNotRead() {
    watch.take(Making().message([.signed(-1), .text("stat"), .text("")]))
    watch.take(Making(counter: 1).message([.signed(1)]))
    watch.take(Making(counter: 2).message([]))
    #expect(watch.unreadableCount == 3)
  }

  @Test mutating func otherTextsOfTheContextAreNoLoss() {
    watch.take(Making().message([.text("dlt-system-process, starting process.")]))
    watch.take(Making(counter: 1).message([.text("Process"), .text("x"), .text("is running")]))
    watch.take(Making(counter: 2).message([.raw([1, 2, 3])]))
    #expect(watch.taken().isEmpty)
  }
}
