import ArgumentParser
import Foundation

/// `stats-recording record`: into CSV files, an SQLite file, or both.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Records messages into CSV files or an SQLite file.",
    discussion: """
      Examples:
        stats-recording record --sqlite devices.sqlite --keep-age 30d
        stats-recording record --csv folder --rotate-age 1d --keep-size 10GiB

      CSV: a file for each device, program and kind, in the folder
      <device>/<program>.<kind>.csv; texts are in quotes, what is absent is an
      empty cell. SQLite: SELECT time, payload->>'load1' FROM records WHERE ...
      Both keep the payloads' bytes: stats-recording replay gives them back.
      Statuses are recorded too. A record that comes twice is written once.

      With --session a message is acknowledged when it is on the disk, and the
      broker keeps what comes while the disk is full or the recorder is away,
      killed or not: for a week, up to its own limit (max_queued_messages of
      Mosquitto, 1000 unless it is set). Without it what came in the last 200 ms before the recorder is
      killed is lost, and stats-recording losses counts it. SIGUSR1 tells the
      counts.
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("Write CSV files into this folder.", valueName: "dir"))
  var csv: String?

  @Option(help: ArgumentHelp("Write into this SQLite file.", valueName: "file"))
  var sqlite: String?

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  @Option(help: ArgumentHelp("Only this program, such as epoll-psi.", valueName: "name"))
  var program: String?

  @Option(help: ArgumentHelp("The broker keeps messages for this name.", valueName: "name"))
  var session: String?

  @Option(
    help: ArgumentHelp(
      "Begin a new CSV file at this size. Default: 64MiB, or an eighth of --keep-size.",
      valueName: "size"))
  var rotateSize: ByteCount?

  @Option(
    help: ArgumentHelp(
      "Begin a new CSV file after this time. Default: an eighth of --keep-age.", valueName: "time"))
  var rotateAge: TimeSpan?

  @Option(
    help: ArgumentHelp("Remove the oldest when there is more than this.", valueName: "size"))
  var keepSize: ByteCount?

  @Option(help: ArgumentHelp("Remove what is older than this.", valueName: "time"))
  var keepAge: TimeSpan?

  func validate() throws {
    guard csv != nil || sqlite != nil else {
      throw ValidationError("give --csv DIR, --sqlite FILE, or both")
    }
    if csv == nil && (rotateSize != nil || rotateAge != nil) {
      throw ValidationError("--rotate-size and --rotate-age are for --csv")
    }
    if let keepSize, let rotateSize, rotateSize.bytes > keepSize.bytes / 2 {
      throw ValidationError("--keep-size must hold at least two files of --rotate-size")
    }
    try RecordTopics.check(device: device)
    if let session, session.isEmpty || session.utf8.count > 100 {
      throw ValidationError("--session: 1 to 100 bytes")
    }
  }

  func run() throws {
    let signals = EndSignals()
    var targets: [any RecordingTarget] = []
    // What the broker is told to forget shall be on the disk.
    let isDurable = session != nil
    if let csv { targets.append(try CSVFolder(csv, limits, isDurable: isDurable)) }
    if let sqlite { targets.append(try RecordingWriter(sqlite, limits, isDurable: isDurable)) }
    let recorder = Recorder(broker, into: targets, say: complain)
    recorder.run(
      topics: broker.topics(device: device, program: program), session: session,
      until: signals.ended, tellsCounts: signals.takeAsked)
    if recorder.counts.targets.contains(where: { $0.notWritten > 0 }) { throw ExitCode(1) }
  }

  private var limits: RecordingLimits {
    let size = keepSize.map { min(64 << 20, max(1, $0.bytes / 8)) } ?? 64 << 20
    let age = rotateAge ?? keepAge.map { TimeSpan(seconds: $0.seconds / 8) }
    return RecordingLimits(
      rotateSize: rotateSize?.bytes ?? size, rotateAge: age.map { Int64($0.seconds * 1e6) },
      keepSize: keepSize?.bytes, keepAge: keepAge.map { Int64($0.seconds * 1e6) })
  }
}

extension BrokerOptions {
  /// All topics of a device and a program; `a/b/#` is also for `a/b`.
  func topics(device: String?, program: String?) -> [String] {
    let topic = [topicPrefix, device ?? "+", program ?? "#"].joined(separator: "/")
    return [program == nil ? topic : topic + "/#"]
  }
}
