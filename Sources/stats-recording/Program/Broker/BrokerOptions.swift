import ArgumentParser
import Foundation

/// Where the broker is, and as whom: the same options in every command that talks to one.
struct BrokerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The broker.", valueName: "host"))
  var host = "127.0.0.1"

  @Option(help: ArgumentHelp("Its port; 1883, with TLS 8883.", valueName: "n"))
  var port: Int?

  @Option(help: ArgumentHelp("What the topics begin with.", valueName: "text"))
  var topicPrefix = Self.defaultTopicPrefix

  static let defaultTopicPrefix = "stats"

  @Option(help: ArgumentHelp("Who to log in as.", valueName: "name"))
  var username: String?

  @Option(help: ArgumentHelp("The password is its first line.", valueName: "file"))
  var passwordFile: String?

  @Flag(help: "Use TLS, with the system's certificate authorities.")
  var tls = false

  @Option(help: ArgumentHelp("Use TLS, with these authorities (PEM).", valueName: "file"))
  var caFile: String?

  @Option(help: ArgumentHelp("The client's certificate (PEM).", valueName: "file"))
  var certificateFile: String?

  @Option(help: ArgumentHelp("The key of the client's certificate (PEM).", valueName: "file"))
  var keyFile: String?

  var usesTLS: Bool { tls || caFile != nil || certificateFile != nil }

  var portNumber: Int { port ?? (usesTLS ? 8883 : 1883) }

  var address: String { "\(host):\(portNumber)" }

  func validate() throws {
    if (certificateFile == nil) != (keyFile == nil) {
      throw ValidationError("--certificate-file and --key-file go together")
    }
    if passwordFile != nil && username == nil {
      throw ValidationError("--password-file needs --username")
    }
    if let port, !(1...65535 ~= port) { throw ValidationError("--port \(port): 1 to 65535") }
    for path in [caFile, certificateFile, keyFile, passwordFile].compactMap(\.self) {
      guard access(path, R_OK) == 0 else {
        throw ValidationError("\(path): \(String(cString: strerror(errno)))")
      }
    }
  }

  /// The first line of the password file. Errors: it has none.
  func password() throws -> String? {
    guard let passwordFile else { return nil }
    let text = try String(contentsOfFile: passwordFile, encoding: .utf8)
    guard let line = text.split(separator: "\n", omittingEmptySubsequences: false).first,
      !line.isEmpty
    else { throw ValidationError("\(passwordFile): its first line is empty") }
    return String(line)
  }
}
