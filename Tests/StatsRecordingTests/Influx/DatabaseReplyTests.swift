import Foundation
import Testing

@testable import stats_recording

struct DatabaseReplyTests {
  private func reply(_ status: UInt, _ body: String, retryAfter: String? = nil) -> DatabaseReply {
    DatabaseReply(status: status, body: Array(body.utf8), retryAfter: retryAfter)
  }

  @Test func noContentAloneIsAYes() {
    #expect(reply(204, "") == .stored)
    #expect(
      reply(200, "<html>")
        == .later(
          words: "<html> (HTTP status 200): is this the address of InfluxDB?", afterSeconds: nil))
  }

  @Test func aPartialWriteSaysHowManyAreLost() {
    let words =
      "partial write: field type conflict: input field \"v\" on measurement \"m\" dropped=3"
    let body = #"{"error":"\#(words.replacing("\"", with: "\\\""))"}"#
    #expect(reply(400, body) == .refused(words: words, dropped: 3))
    #expect(
      reply(422, #"{"code":"unprocessable entity","message":"no"}"#)
        == .refused(words: "no", dropped: nil))
  }

  /// A proxy says 400 about much that is not the points' fault.
  @Test func whatIsNotInfluxDBsOwnWordIsNoRefusal() {
    #expect(
      reply(400, "<html>\nBad Request")
        == .later(words: "<html> Bad Request (HTTP status 400)", afterSeconds: nil))
  }

  @Test(arguments: [401, 403, 404, 408, 429, 500, 502, 503] as [UInt])
  func whatCanBeMendedWaits(_ status: UInt) {
    #expect(
      reply(status, #"{"error":"x"}"#, retryAfter: "7")
        == .later(words: "x (HTTP status \(status))", afterSeconds: 7))
  }

  @Test func tooMuchAtOnceIsCutInHalves() {
    #expect(reply(413, #"{"error":"too large"}"#) == .tooLarge(words: "too large"))
  }

  @Test func anAddressIsMadeOfTheOptions() throws {
    let first = try DatabaseOptions.parse(["--url", "http://h:1/x/", "--database", "a+b &c"])
    #expect(first.writeAddress == "http://h:1/x/write?db=a%2Bb%20%26c&precision=ns")
    let second = try DatabaseOptions.parse(["--bucket", "b", "--org", "o"])
    #expect(
      second.writeAddress
        == "http://127.0.0.1:8086/api/v2/write?bucket=b&precision=ns&org=o")
  }

  @Test(arguments: [
    ["--url", "influx:8086"], ["--url", "ftp://h"], ["--bucket", "b"], ["--org", "o"],
    ["--bucket", "b", "--org", "o", "--database", "d"], ["--database-username", "u"],
    ["--bucket", "b", "--org", "o", "--token-file", "/nowhere"],
    ["--bucket", "b", "--org", "o", "--token-file", "/dev/null"],
  ])
  func mistakesInOptionsAreTold(_ arguments: [String]) {
    #expect(throws: (any Error).self) { try DatabaseOptions.parse(arguments) }
  }

  @Test func timesAreReadAsPeopleWriteThem() {
    #expect(TimeSpan(argument: "100ms")?.seconds == 0.1)
    #expect(TimeSpan(argument: "7d")?.seconds == 604_800)
    for text in ["", "5", "s", "-1s", "1 s", "nans", "1y"] {
      #expect(TimeSpan(argument: text) == nil, "\(text)")
    }
  }

  @Test func theSameIsToldOnceAMinuteWithItsCount() {
    var complaint = RareComplaint()
    let now = ContinuousClock.now
    #expect(complaint.tell(at: now) { "\($0)" } == "1")
    #expect(complaint.tell(count: 4, at: now + .seconds(59)) { "\($0)" } == nil)
    #expect(complaint.tell(at: now + .seconds(61)) { "\($0)" } == "5")
  }
}
