import ArgumentParser
import Foundation

/// `stats-recording replay`: what was recorded to a broker, to standard output, or into the other form.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publishes a recording again, prints it, or makes CSV of SQLite and SQLite of CSV.",
    discussion: """
      Examples:
        stats-recording replay devices.sqlite --host 127.0.0.1 --port 1884 --speed 10
        stats-recording replay recording --device pi-7 --from 2026-11-25T06:00:00Z --print
        stats-recording replay devices.sqlite --csv folder
        stats-recording replay recording --sqlite devices.sqlite

      Topics and payloads are those that were recorded, byte for byte; statuses are
      retained. --topic-prefix stands in for the one that was recorded. Content type
      and expiry are those that a bridge gives. When the connection is lost it is
      made again, and what was not acknowledged is published again, so that nothing
      is left out and little comes twice.
      """)

  @Argument(
    help: ArgumentHelp("An SQLite file, a CSV file, or a folder of them.", valueName: "recording"),
    completion: .file())
  var recording: String

  @OptionGroup var broker: BrokerOptions

  @Option(
    help: ArgumentHelp("So many times as fast as it was; 0: as fast as it can be.", valueName: "n"))
  var speed = 1.0

  @Option(help: ArgumentHelp("How long the broker keeps a message.", valueName: "time"))
  var messageExpiry = TimeSpan(seconds: 86_400)

  @Flag(help: "Print topic, tab and payload instead of publishing.")
  var print = false

  @Option(help: ArgumentHelp("Write CSV files into this folder instead.", valueName: "dir"))
  var csv: String?

  @Option(help: ArgumentHelp("Write into this SQLite file instead.", valueName: "file"))
  var sqlite: String?

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  @Option(help: ArgumentHelp("Only this program, such as epoll-psi.", valueName: "name"))
  var program: String?

  @Option(help: ArgumentHelp("Only this kind, such as pressure_stall.", valueName: "name"))
  var kind: String?

  @Option(
    help: ArgumentHelp(
      "Only what was taken at this time or later: 2026-11-25T06:00:00Z, 2026-11-25T06:00, 2026-11-25, Unix time.",
      valueName: "time"))
  var from: PointInTime?

  @Option(help: ArgumentHelp("Only what was taken before this time.", valueName: "time"))
  var to: PointInTime?

  @Option(help: "In which order: as it came, or by the time it was taken.")
  var order = Order.arrival

  enum Order: String, ExpressibleByArgument, CaseIterable { case arrival, time }

  func validate() throws {
    guard speed >= 0, speed.isFinite else { throw ValidationError("--speed: 0 or more") }
    guard 1...Double(UInt32.max) ~= messageExpiry.seconds else {
      throw ValidationError("--message-expiry: 1s to 49710d")
    }
    try RecordTopics.check(device: device)
    guard (print ? 1 : 0) + (csv == nil ? 0 : 1) + (sqlite == nil ? 0 : 1) <= 1 else {
      throw ValidationError("--print, --csv and --sqlite: only one of them")
    }
    if let from, let to, from.nanoseconds >= to.nanoseconds {
      throw ValidationError("--from is not before --to")
    }
  }

  func run() throws {
    let signals = EndSignals()
    if csv != nil || sqlite != nil { return try convert() }
    // Before files are opened: libmosquitto knows no descriptor above 1023.
    let publisher =
      print
      ? nil
      : try ReplayPublisher(
        broker, topicPrefix: changedPrefix,
        expirySeconds: UInt32(messageExpiry.seconds), say: complain)
    var messages = try AnyRecording(recording).messages(selection, torn: complain)
    if let publisher {
      try publish(&messages, publisher, signals)
    } else {
      try printAll(&messages, signals.ended)
    }
  }

  private var selection: RecordingSelection {
    var selection = RecordingSelection(device: device, program: program, kind: kind)
    if from != nil || to != nil {
      selection.times = (from?.nanoseconds ?? .min)..<(to?.nanoseconds ?? .max)
    }
    selection.order = order == .time ? .oldestFirst : .arrival
    return selection
  }

  private var changedPrefix: String? {
    broker.topicPrefix == BrokerOptions.defaultTopicPrefix ? nil : broker.topicPrefix
  }

  private func printAll(_ messages: inout RecordedMessages, _ ended: OneWaySwitch) throws {
    var output: [UInt8] = []
    while let message = try messages.next(), !ended.isSet {
      output += message.source.text.utf8
      output.append(UInt8(ascii: "\t"))
      output += message.payload
      output.append(UInt8(ascii: "\n"))
      if output.count > 65536 {
        try FileHandle.standardOutput.write(contentsOf: output)
        output.removeAll(keepingCapacity: true)
      }
    }
    try FileHandle.standardOutput.write(contentsOf: output)
  }

  private func publish(
    _ messages: inout RecordedMessages, _ publisher: ReplayPublisher, _ signals: EndSignals
  ) throws {
    var first: Int64?
    let begin = ContinuousClock.now
    var progress = begin
    func tell() {
      guard .now - progress > .seconds(5) || signals.takeAsked() else { return }
      progress = .now
      complain("published \(publisher.published) messages")
    }
    while let message = try messages.next(), !signals.ended.isSet {
      let moment = order == .time ? message.time / 1000 : message.received
      if speed > 0 {
        first = first ?? moment
        let due = Double(moment - (first ?? moment)) / speed
        let elapsed = (ContinuousClock.now - begin) / .microseconds(1)
        if due > elapsed {
          // Longer than a year is for ever.
          publisher.wait(
            microseconds: Int64(min(due - elapsed, 3e13)), until: signals.ended, turn: tell)
        }
      }
      if signals.ended.isSet { break }
      publisher.publish(message, until: signals.ended)
      tell()
    }
    publisher.finish(until: signals.ended)
    complain("published \(publisher.published) messages")
    if publisher.unacknowledged > 0 {
      complain("\(publisher.unacknowledged) messages more were published and not acknowledged")
      throw ExitCode(1)
    }
    if publisher.refused > 0 {
      complain(
        "\(broker.address) refused \(publisher.refused) messages: "
          + BrokerClient.words(of: publisher.refusal))
      throw ExitCode(1)
    }
  }

  private func convert() throws {
    var messages = try AnyRecording(recording).messages(selection, torn: complain)
    let target: any RecordingTarget
    if let csv {
      // Of what older files hold nothing is known: rows would be there twice.
      let names = (try? FileManager.default.contentsOfDirectory(atPath: csv)) ?? []
      guard names.allSatisfy({ $0.hasPrefix(".") }) else {
        throw RecordingFailure("\(csv) is not empty; give --csv a new folder")
      }
      target = try CSVFolder(csv, RecordingLimits(rotateSize: 64 << 20))
    } else {
      target = try RecordingWriter(sqlite ?? "", RecordingLimits())
    }
    var progress = ContinuousClock.now
    let count = try target.copy(&messages) { count in
      guard .now - progress > .seconds(5) else { return }
      progress = .now
      complain("\(target.path): \(count.words)")
    }
    target.close()
    for notice in target.takeNotices() { complain(notice) }
    complain("\(target.path): \(count.words)")
    if count.notWritten > 0 { throw ExitCode(1) }
  }
}
