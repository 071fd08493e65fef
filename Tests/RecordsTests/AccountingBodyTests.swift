import Testing

@testable import Records

/// The bodies of inotify-pacct as they stand on the wire.
struct AccountingBodyTests {
  @Test func processExit() throws {
    var body = ProcessExit()
    body.processID = 4242
    body.parentID = 911
    body.userID = 1000
    body.groupID = 100
    body.command = FixedText("python3")
    body.terminal = FixedText("pts/3")
    body.signal = 11
    body.endedBySignal = true
    body.dumpedCore = true
    body.usedSuperuser = true
    body.startSeconds = 1_795_229_000
    body.elapsedHundredths = 12_345
    body.userHundredths = 678
    body.systemHundredths = 90
    body.virtualMemoryBytes = 15_679_488
    body.minorFaults = 54_024
    body.majorFaults = 7
    body.io = 96
    try Golden.expect(body, isWrittenAs: "process_exit.v1")
  }

  @Test func processSummary() throws {
    var body = ProcessSummary()
    body.command = FixedText("sh")
    body.intervalMilliseconds = 60_004
    body.processes = 1500
    body.failed = 30
    body.endedBySignal = 20
    body.dumpedCore = 10
    body.forkedWithoutExec = 5
    body.userHundredths = 1234
    body.systemHundredths = 567
    body.elapsedHundredths = 89_012
    body.longestHundredths = 3456
    body.largestMemoryBytes = 2_654_208
    body.minorFaults = 96_000
    body.majorFaults = 12
    try Golden.expect(body, isWrittenAs: "process_summary.v1")
  }

  @Test func accountingState() throws {
    var body = AccountingState()
    body.state = .suspended
    body.path = FixedText("/var/log/account/pacct")
    body.recordsRead = 100_000
    body.recordsUnsupported = 3
    body.recordsInvalid = 2
    body.recordsLost = 64
    body.freeBytes = 81_920
    try Golden.expect(body, isWrittenAs: "accounting_state.v1")
  }

  @Test func onlyAProcessThatFailedIsAnEvent() {
    var body = ProcessExit()
    #expect(!body.isEvent)
    body.exitCode = 1
    #expect(body.isEvent)
    body.exitCode = 0
    body.endedBySignal = true
    #expect(body.isEvent)
    #expect(!ProcessSummary().isEvent)
    #expect(AccountingState().isEvent)
  }

  @Test func summariesHaveATopicPerName() {
    var topic = TopicLevels()
    var body = ProcessSummary()
    body.command = FixedText("a/b")
    body.appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/summary/a_b")
    topic.removeAll()
    ProcessExit().appendTopic(to: &topic)
    #expect(topic.bytes.isEmpty)
    AccountingState().appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/accounting")
  }
}
