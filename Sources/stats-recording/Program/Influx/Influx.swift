import ArgumentParser
import Foundation

/// `stats-recording influx`: from the broker into InfluxDB, or what takes its line protocol.
struct Influx: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes what comes into InfluxDB.",
    discussion: """
      A message is acknowledged when the database has taken its points: until then the broker keeps \
      it. Database, broker and this program may be killed; the same record written twice is one \
      point. The broker keeps the topics with the session: with another --share or --device take \
      another --session.

      Examples:
        stats-recording influx --database stats
        stats-recording influx --url http://influx.example:8086 --org o --bucket stats
        stats-recording influx --tls --host broker.example --username u --password-file p
        stats-recording influx --share ingest --session ingest-1
      """)

  @OptionGroup(title: "The broker") var broker: BrokerOptions
  @OptionGroup(title: "The database") var database: DatabaseOptions

  @Option(help: ArgumentHelp("Write so many points at once.", valueName: "n"))
  var batchSize = 5000

  @Option(help: ArgumentHelp("How long a point waits for others.", valueName: "time"))
  var batchTime = TimeSpan(seconds: 1)

  @Option(
    help: ArgumentHelp(
      "The client id, by which the broker knows what was not acknowledged.", valueName: "name"))
  var session = "stats-recording-influx"

  @Option(
    help: ArgumentHelp("How long the broker keeps it without this program.", valueName: "time"))
  var sessionExpiry = TimeSpan(seconds: 7 * 86_400)

  @Option(
    help: ArgumentHelp(
      "Share the messages with all instances of this group; each with a session of its own.",
      valueName: "group"))
  var share: String?

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  func validate() throws {
    guard 1...1_000_000 ~= batchSize else {
      throw ValidationError("--batch-size \(batchSize): 1 to 1000000")
    }
    guard 0...3600 ~= batchTime.seconds else {
      throw ValidationError("--batch-time: at most 1h")
    }
    // MQTT 5, 3.1.2.11.2; the greatest value there means for ever.
    guard 1...Double(UInt32.max) ~= sessionExpiry.seconds else {
      throw ValidationError("--session-expiry: 1s to 49710d")
    }
    if session.isEmpty || session.utf8.count > 65535 {
      throw ValidationError("--session: a client id of one byte at least")
    }
    if let share, share.isEmpty || share.contains(where: { "/+#".contains($0) }) {
      throw ValidationError("--share \(share): a name without / + #")
    }
    try RecordTopics.check(device: device)
  }

  func run() async throws {
    let topic = "\(broker.topicPrefix)/\(device ?? "+")/#"
    let settings = SessionSettings(
      broker: broker, topics: [share.map { "$share/\($0)/\(topic)" } ?? topic], session: session,
      sessionExpirySeconds: UInt32(sessionExpiry.seconds), batchSize: batchSize,
      batchTime: .seconds(batchTime.seconds))
    let database = try TimeSeriesDatabase(database)
    let ended = OneWaySwitch()
    let signals = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { ended.set() }
      source.resume()
      return source
    }
    signal(SIGPIPE, SIG_IGN)
    let counts = await withCheckedContinuation { continuation in
      // libmosquitto and the waiting for the database want a thread of their own.
      Thread.detachNewThread {
        continuation.resume(
          returning: Ingest(settings, database, ended: ended, say: complain).run())
      }
    }
    for source in signals { source.cancel() }
    try await database.close()
    complain(counts.readable)
  }
}
