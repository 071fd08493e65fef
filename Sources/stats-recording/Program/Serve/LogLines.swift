import Logging

/// One line on standard error for each entry, as all that this tool has to say.
struct LogLines: LogHandler {
  var logLevel = Logger.Level.notice
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    complain("\(event.level >= .warning ? "\(event.level): " : "")\(event.message)")
  }
}
