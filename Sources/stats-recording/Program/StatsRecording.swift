import ArgumentParser
import Foundation

@main
struct StatsRecording: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats-recording",
    abstract: "Shows, records and passes on what devices with stats-recording publish.",
    discussion: """
      Example: stats-recording watch --host broker.example --device pi-7
      """,
    version: "stats-recording \(Version.text)",
    subcommands: [
      Watch.self,
      Record.self,
      Replay.self,
      Losses.self,
      HomeAssistant.self,
      Influx.self,
      Plot.self,
      Doctor.self,
      Fields.self,
    ])
}
