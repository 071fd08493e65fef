import ArgumentParser
import Foundation
import Hummingbird
import Logging
import ServiceLifecycle

/// `stats-recording serve`: one web page with all devices.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows all devices in one web page.",
    discussion: """
      Devices with their state, charts, events, processes and losses, as they come. What has come is \
      kept in memory, in bounded space. The page asks no other host for anything.

      With --recording the page also has what `record` has written, also while it writes: charts and \
      events of the time that is shown where this server was not there yet or keeps no more, and \
      devices that have not been heard since its start, with the processes that they told last. \
      What is missing, and what programs say of themselves, is told from the server's start on.

      Examples:
        stats-recording serve
        stats-recording serve --recording devices.sqlite
        stats-recording serve --host broker.example --tls --listen 127.0.0.1:9000
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(
    help: ArgumentHelp(
      "Show also what was recorded: an SQLite file, a CSV file, or a folder of them; repeatable.",
      valueName: "recording"), completion: .file())
  var recording: [String] = []

  @Option(
    help: ArgumentHelp("Where to listen; port 0 takes a free one.", valueName: "address:port"))
  var listen = ListenAddress(host: "127.0.0.1", port: 8080)

  @Flag(help: "Allow an address that others can reach. There is no login: they see all devices.")
  var listenAnywhere = false

  @Option(help: ArgumentHelp("Where dygraph.min.js is.", valueName: "dir"))
  var javascript = "/usr/share/javascript/dygraphs"

  @Option(help: ArgumentHelp("Points kept of each line.", valueName: "n"))
  var points = 3600

  @Option(help: ArgumentHelp("Lines kept, of all devices together.", valueName: "n"))
  var series = 4000

  @Option(
    help: ArgumentHelp(
      "Bytes of changes that a browser may be behind before it has to begin anew.",
      valueName: "n"))
  var backlog = 8 << 20

  func validate() throws {
    guard listen.isLoopback || listenAnywhere else {
      throw ValidationError(
        "--listen \(listen.host): others could look on, and there is no login; "
          + "add --listen-anywhere if they may, or listen on 127.0.0.1 and use ssh -L")
    }
    guard 10...1_000_000 ~= points else {
      throw ValidationError("--points \(points): 10 to 1000000")
    }
    guard 10...1_000_000 ~= series else {
      throw ValidationError("--series \(series): 10 to 1000000")
    }
    guard 16384...(1 << 30) ~= backlog else {
      throw ValidationError("--backlog \(backlog): 16384 to 1073741824")
    }
  }

  func run() async throws {
    var logger = Logger(label: "serve") { _ in LogLines() }
    logger.logLevel = .notice
    let files = try PageFiles(javaScriptFolder: javascript)
    let limits = Fleet.Limits(points: points, series: series, journalBytes: backlog)
    let history = recording.isEmpty ? nil : try RecordedHistory(recording, limits: limits)
    let fleet = Fleet(
      prefix: broker.topicPrefix, limits: limits, recorded: history?.devices ?? [:])
    let listen = listen
    let application = Application(
      router: PageServer(fleet: fleet, files: files, history: history).router(
        anyHost: !listen.isLoopback),
      configuration: ApplicationConfiguration(
        address: .hostname(listen.host, port: listen.port), serverName: "stats-recording"),
      services: [
        StreamReader(fleet: fleet, broker: broker, logger: logger), FlushTicker(fleet: fleet),
      ],
      onServerRunning: { [logger] channel in
        let port = channel.localAddress?.port ?? listen.port
        logger.notice("the page is at \(ListenAddress.url(listen.host, port))")
        if !listen.isLoopback {
          logger.warning("there is no login: who reaches this address sees all devices")
        }
      },
      logger: logger)
    var configuration = ServiceGroupConfiguration(
      services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    // A browser that does not read cannot hold up the end.
    configuration.maximumGracefulShutdownDuration = .seconds(3)
    configuration.maximumCancellationDuration = .seconds(2)
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch {
      throw Failure(description: "--listen \(listen.host):\(listen.port): \(error)")
    }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }
}

/// Takes what the broker sends.
struct StreamReader: Service {
  let fleet: Fleet
  let broker: BrokerOptions
  let logger: Logger

  func run() async throws {
    let topics = ["\(broker.topicPrefix)/#"]
    for await event in Subscription(broker, topics: topics).events.cancelOnGracefulShutdown() {
      switch event {
      case .subscribed: logger.notice("connected to \(broker.address)")
      case .lost(let failure): logger.warning("\(failure); trying again")
      case .message: break
      }
      await fleet.take(event)
    }
  }
}

/// Passes on what has changed, twice a second.
struct FlushTicker: Service {
  let fleet: Fleet

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .milliseconds(500))
        await fleet.flush()
      }
    }
  }
}
