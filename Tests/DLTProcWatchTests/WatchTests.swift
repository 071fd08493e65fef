import Records
import Testing

@testable import dlt_proc_watch

/// Which processes are watched, and what is told when they come and go.
struct WatchTests {
  private func watch(_ names: String..., limit: Int = 64) -> ProcessWatch {
    ProcessWatch(WatchSettings(names: names.map { Array($0.utf8) }, limit: limit))
  }

  @Test func theCaptureHasTwoProcessesAndOneThatDoesNotRun() throws {
    var watch = watch()
    for message in messages(try Fixture.bytes("sample.dlt"), .file).messages {
      watch.take(message)
    }
    #expect(watch.messageCount == 130)
    #expect(watch.processMessageCount == 130)
    #expect(watch.unreadableCount == 0)
    let reports = watch.taken()
    let loads = reports.compactMap { if case .load(let load) = $0 { load } else { nil } }
    let events = reports.compactMap { if case .lifecycle(let event) = $0 { event } else { nil } }
    #expect(loads.count + events.count == reports.count)
    #expect(events.map(\.event) == [.started, .started, .notRunning])
    #expect(events.map(\.process.string) == ["mco-audioApp", "a b) c (d", "nosuchproc"])
    for (name, expected) in [("mco-audioApp", 2950), ("a b) c (d", 500)] as [(String, Int)] {
      let own = loads.filter { $0.process.string == name }
      #expect(own.count >= 30)
      for load in own.dropFirst() {
        let ratio = Int(try #require(load.cpuTenThousandths))
        #expect(abs(ratio - expected) <= 200, "\(name): \(ratio)")
        #expect(abs(Int(load.intervalTenThousandths!) - 20_000) < 2000)
      }
    }
    #expect(loads[0].residentBytes == 5395 * 4096)
    #expect(loads[0].virtualBytes == 23_511_040)
    #expect(loads[0].ecu.string == "TGT1")
  }

  /// Not messages that look alike, from other contexts or of other kinds.
  @Test func onlyVerboseLogMessagesOfSYSAndPROCCount() {
    var watch = watch()
    var making = Making()
    making.context = "STAT"
    watch.take(making.stat())
    making = Making(application: "APP")
    watch.take(making.stat())
    making = Making(information: 0x40)
    watch.take(making.stat())
    making = Making(information: 0x43)
    watch.take(making.stat())
    making = Making(hasExtendedHeader: false)
    watch.take(making.stat())
    #expect(watch.messageCount == 5)
    #expect(watch.taken().isEmpty)
  }

  /// The extended header of the message before must not count for one that has none.
  @Test func aMessageWithoutAnExtendedHeaderIsNotTakenForTheLastOne() {
    var watch = watch()
    watch.take(Making().stat())
    #expect(watch.taken().count == 2)
    let payload = Array(Making().stat().dropFirst(26))
    watch.take(Making(counter: 1, hasExtendedHeader: false).message(payload: payload, count: 3))
    #expect(watch.taken().isEmpty)
  }

  @Test func namesAreExact() {
    var watch = watch("mco-audioApp", "b")
    for name in ["mco-audioAp", "mco-audioApp2", "MCO-AUDIOAPP", "", "a"] {
      watch.take(Making().stat(3, name))
    }
    #expect(watch.loads().isEmpty)
    watch.take(Making().stat(4, "mco-audioApp"))
    watch.take(Making().stat(5, "b"))
    #expect(watch.loads().map(\.processID) == [4, 5])
  }

  @Test func aProcessIsFoundByItsFirstArgumentToo() {
    var watch = watch("/usr/bin/node")
    watch.take(Making().stat(4, "mco-audioApp"))
    #expect(watch.taken().isEmpty)
    watch.take(Making(counter: 1).command(4, "/usr/bin/node"))
    #expect(watch.taken().isEmpty)
    watch.take(Making(counter: 2).stat(4, "mco-audioApp"))
    let loads = watch.loads()
    #expect(loads.map(\.process.string) == ["/usr/bin/node"])
    #expect(loads.map(\.comm.string) == ["mco-audioApp"])
  }

  /// comm and argv[0] of the same process are both asked for.
  @Test func aProcessHasOneNameOnly() {
    var watch = watch("node", "mco-audioApp")
    watch.take(Making().stat(4))
    watch.take(Making(counter: 1).command(4, "node"))
    watch.take(Making(counter: 2, timestamp: 18_800_000).stat(4))
    #expect(watch.loads().map(\.process.string) == ["mco-audioApp", "mco-audioApp"])
  }

  @Test func onlyTheECUThatWasAskedForCounts() {
    var watch = ProcessWatch(WatchSettings(ecu: Identifier("TGT2")))
    watch.take(Making().stat())
    #expect(watch.taken().isEmpty)
    watch.take(Making(ecu: "TGT2").stat())
    #expect(watch.loads().map(\.ecu.string) == ["TGT2"])
  }

  /// Without WEID the storage header says it.
  @Test func theECUMayStandInTheStorageHeaderAlone() {
    var watch = watch()
    let bytes = Making(ecu: nil).stat()
    watch.take(bytes.span, ecu: Identifier("FILE"), arrival: 0)
    #expect(watch.loads().map(\.ecu.string) == ["FILE"])
  }

  @Test func aProcessThatStartedAfterTheLastOneWasToldCameAgain() {
    var watch = watch()
    watch.take(Making(timestamp: 100_000).stat(4, "x", start: 500))
    #expect(watch.events().map(\.event) == [.started])
    watch.take(Making(counter: 1, timestamp: 120_000).stat(9, "x", start: 1100))
    let events = watch.events()
    #expect(events.map(\.event) == [.restarted])
    #expect(events.map(\.previousProcessID) == [4])
    #expect(events.map(\.startHundredths) == [1100])
  }

  @Test func theSameIdWithAnotherStartTimeCameAgain() {
    var watch = watch("x")
    watch.take(Making(timestamp: 100_000).stat(4, "x", start: 500))
    watch.take(Making(counter: 1, timestamp: 120_000).stat(4, "x", start: 1100))
    #expect(watch.events().map(\.event) == [.started, .restarted])
    // Now somebody else has the id.
    watch.take(Making(counter: 2, timestamp: 140_000).stat(4, "other", start: 1300))
    #expect(watch.taken().isEmpty)
  }

  /// dlt-system tells the first match only, and that can silently become another process, which
  /// has been running all the time.
  @Test func anOlderProcessOfTheSameNameDidNotComeAgain() {
    var watch = watch()
    watch.take(Making(timestamp: 100_000).stat(9, "x", start: 500))
    watch.take(Making(counter: 1, timestamp: 120_000).stat(4, "x", start: 400))
    #expect(watch.events().map(\.event) == [.started, .started])
  }

  @Test func oneMoreWorkerDidNotComeAgain() {
    var watch = watch()
    watch.take(Making(timestamp: 100_000).stat(4, "x", start: 500))
    watch.take(Making(counter: 1, timestamp: 100_001).stat(5, "x", start: 501))
    watch.take(Making(counter: 2, timestamp: 120_000).stat(6, "x", start: 1100))
    #expect(watch.events().map(\.event) == [.started, .started, .started])
  }

  @Test func notRunningIsToldOnceUntilItRunsAgain() {
    var watch = watch()
    for counter in 0..<5 as Range<UInt8> {
      watch.take(Making(counter: counter).notRunning("x"))
    }
    #expect(watch.events().map(\.event) == [.notRunning])
    watch.take(Making(counter: 5, timestamp: 18_800_000).stat(4, "x"))
    #expect(watch.events().map(\.event) == [.started])
    watch.take(Making(counter: 6).notRunning("x"))
    watch.take(Making(counter: 7).notRunning("x"))
    let events = watch.events()
    #expect(events.map(\.event) == [.notRunning])
    #expect(events.map(\.previousProcessID) == [4])
    watch.take(Making(counter: 8, timestamp: 18_900_000).stat(8, "x", start: 188_500))
    let again = watch.events()
    #expect(again.map(\.event) == [.started])
    #expect(again.map(\.previousProcessID) == [4])
  }

  /// dlt-system has the name from its configuration, which is argv[0]; the watch goes by comm.
  @Test func notRunningIsToldUnderTheNameThatIsWatched() {
    var watch = watch("mco-audioApp")
    watch.take(Making().stat(4))
    watch.take(Making(counter: 1).command(4, "node"))
    watch.take(Making(counter: 2).notRunning("other"))
    watch.take(Making(counter: 3).notRunning("node"))
    let events = watch.events()
    #expect(events.map(\.event) == [.started, .notRunning])
    #expect(events.map(\.process.string) == ["mco-audioApp", "mco-audioApp"])
  }

  /// The first argument of the message is a text there, not the process id.
  @Test func aProcessCalledStatThatDoesNotRunIsNoStatistics() {
    var watch = watch()
    watch.take(Making().notRunning("stat"))
    #expect(watch.events().map(\.process.string) == ["stat"])
    #expect(watch.unreadableCount == 0)
  }

  @Test func whatIsBeyondTheLimitIsCountedAndTheOthersStay() {
    var watch = watch(limit: 3)
    for round in 0..<3 as Range<UInt32> {
      for pid in 1...5 as ClosedRange<Int32> {
        watch.take(
          Making(session: nil, timestamp: round * 10_000 + UInt32(pid))
            .stat(pid, "p\(pid)"), arrival: UInt64(round))
      }
    }
    let loads = watch.loads()
    #expect(Set(loads.map(\.processID)) == [1, 2, 3])
    #expect(loads.count { $0.cpuTenThousandths != nil } == 6)
    #expect(watch.beyondLimitCount == 6)
  }

  @Test func theSilentMakeRoomForOthers() {
    var watch = watch(limit: 1)
    watch.take(Making(counter: 0).stat(1, "a"), arrival: 1000)
    watch.take(Making(counter: 1).stat(2, "b"), arrival: 1060)
    #expect(watch.loads().map(\.processID) == [1])
    watch.take(Making(counter: 2).stat(2, "b"), arrival: 1061)
    #expect(watch.loads().map(\.processID) == [2])
  }

  @Test func bothByteOrdersAreTheSame() {
    var little = watch()
    var big = watch()
    little.take(Making().stat())
    big.take(Making(isBigEndian: true).stat())
    #expect(little.taken() == big.taken())
  }
}
