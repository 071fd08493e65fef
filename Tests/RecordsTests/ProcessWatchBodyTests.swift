import Testing

@testable import Records

/// The bodies that dlt-proc-watch sends.
struct ProcessWatchBodyTests {
  @Test func processLoadIsWrittenAsTheGoldenRecord() throws {
    try Golden.expect(load, isWrittenAs: "process_load.v1")
  }

  @Test func processLifecycleIsWrittenAsTheGoldenRecord() throws {
    var body = ProcessLifecycle()
    body.ecu = FixedText("TGT1")
    body.process = FixedText("mco-audioApp")
    body.event = .restarted
    body.processID = 30_322
    body.startHundredths = 191_711
    body.previousProcessID = 30_154
    try Golden.expect(body, isWrittenAs: "process_lifecycle.v1")
  }

  @Test func dltLossIsWrittenAsTheGoldenRecord() throws {
    var body = DLTLoss(.counterGap)
    body.ecu = FixedText("TGT1")
    body.session = 28_995
    body.lostMessages = 3
    body.uptimeTenThousandths = 18_806_264
    try Golden.expect(body, isWrittenAs: "dlt_loss.v1")
  }

  @Test func aProcessHasATopicOfItsECUAndItsName() {
    var topic = TopicLevels()
    load.appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/TGT1/process/node")
    topic.removeAll()
    var loss = DLTLoss(.garbage)
    loss.appendTopic(to: &topic)
    loss.ecu = FixedText("a/b")
    loss.appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/_/loss/a_b/loss")
  }

  @Test func onlyTheLoadIsNoEvent() {
    #expect(!load.isEvent)
    #expect(ProcessLifecycle().isEvent)
    #expect(DLTLoss(.garbage).isEvent)
  }

  private var load: ProcessLoad {
    var body = ProcessLoad()
    body.ecu = FixedText("TGT1")
    body.process = FixedText("node")
    body.comm = FixedText("mco-audioApp")
    body.processID = 30_154
    body.startHundredths = 187_711
    body.cpuTenThousandths = 2950
    body.intervalTenThousandths = 20_001
    body.cpuUserHundredths = 103
    body.cpuSystemHundredths = 1
    body.residentBytes = 22_097_920
    body.virtualBytes = 23_511_040
    body.threads = 7
    body.uptimeTenThousandths = 18_806_264
    return body
  }
}
