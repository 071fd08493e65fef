import Testing

@testable import Records

struct SystemdBodyTests {
  private var unitState: UnitState {
    var body = UnitState()
    body.unit = FixedText("ssh@7.service")
    body.activeState = FixedText("failed")
    body.subState = FixedText("failed")
    body.oldActiveState = FixedText("active")
    body.oldSubState = FixedText("running")
    body.result = FixedText("core-dump")
    body.mainProcessExit = .dumped
    body.mainProcessStatus = 11
    body.mainProcessId = 4321
    body.restarts = 5
    body.foundByComparing = true
    body.propertiesMissed = 2
    return body
  }

  @Test func unitStateIsWrittenAsTheGoldenRecord() throws {
    try Golden.expect(unitState, isWrittenAs: "unit_state.v1")
  }

  @Test func jobResultIsWrittenAsTheGoldenRecord() throws {
    var body = JobResult()
    body.unit = FixedText("srv-data.mount")
    body.jobId = 734
    body.state = .over
    body.result = FixedText("dependency")
    try Golden.expect(body, isWrittenAs: "job_result.v1")
  }

  @Test func managerEventIsWrittenAsTheGoldenRecord() throws {
    var body = ManagerEvent(.startupFinished)
    body.kernelMicroseconds = 2_113_204
    body.userspaceMicroseconds = 18_402_733
    body.totalMicroseconds = 20_515_937
    body.units = 214
    body.failedUnits = 1
    try Golden.expect(body, isWrittenAs: "manager_event.v1")
  }

  @Test func timesAreSecondsInJSON() throws {
    let members = try publishedMembers(Golden("manager_event.v1").bytes)
    #expect(members["total_seconds"] as? Double == 20.515937)
    #expect(members["firmware_seconds"] == nil)
    #expect(members["event"] as? String == "startup_finished")
  }

  @Test func failuresAndWhatTheManagerDoesAreEvents() {
    var unit = unitState
    #expect(unit.isEvent)
    unit.activeState = FixedText("activating")
    #expect(unit.isEvent, "an auto-restart after a core dump")
    unit.result = FixedText("success")
    #expect(!unit.isEvent)
    unit.result = FixedText()
    #expect(!unit.isEvent)

    var job = JobResult()
    job.state = .over
    for (result, isEvent) in [
      ("done", false), ("canceled", false), ("skipped", false), ("failed", true),
      ("timeout", true), ("dependency", true), ("", true), ("new in systemd 300", true),
    ] {
      job.result = FixedText([UInt8](result.utf8).span)
      #expect(job.isEvent == isEvent, "\(result)")
    }
    job.state = .queued
    #expect(!job.isEvent)

    #expect(ManagerEvent(.busGone).isEvent)
    #expect(ManagerEvent(.preparingForShutdown).isEvent)
    #expect(!ManagerEvent(.unitLoaded).isEvent)
  }

  @Test func aUnitIsALevelOfTheTopic() {
    var topic = TopicLevels()
    unitState.appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/unit/ssh@7.service")
    topic.removeAll()
    var job = JobResult()
    job.unit = FixedText("a/b#+.service")
    job.appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/job/a_b__.service")
    topic.removeAll()
    ManagerEvent(.reloaded).appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/manager")
  }
}
