import ArgumentParser
import Foundation

/// Where the broker is, and as whom: the same options in every command that talks to one.
struct BrokerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The broker.", valueName: "host"))
  var host = "127.0.0.1"

  @OptionGroup var login: BrokerLogin

  @Option(help: ArgumentHelp("What the topics begin with.", valueName: "text"))
  var topicPrefix = Self.defaultTopicPrefix

  static let defaultTopicPrefix = "stats"

  var username: String? { login.username }

  var usesTLS: Bool { login.tls || login.caFile != nil || login.certificateFile != nil }

  var portNumber: Int { login.port ?? (usesTLS ? 8883 : 1883) }

  var address: String { "\(host):\(portNumber)" }

  func validate() throws {
    if (login.certificateFile == nil) != (login.keyFile == nil) {
      throw ValidationError("--certificate-file and --key-file go together")
    }
    if login.passwordFile != nil && username == nil {
      throw ValidationError("--password-file needs --username")
    }
    if let port = login.port, !(1...65535 ~= port) {
      throw ValidationError("--port \(port): 1 to 65535")
    }
    for path in login.files.values.sorted() {
      guard access(path, R_OK) == 0 else {
        throw ValidationError("\(path): \(String(cString: strerror(errno)))")
      }
    }
  }

  /// The first line of the password file. Errors: it has none.
  func password() throws -> String? {
    guard let passwordFile = login.passwordFile else { return nil }
    let text = try String(contentsOfFile: passwordFile, encoding: .utf8)
    guard let line = text.split(separator: "\n", omittingEmptySubsequences: false).first,
      !line.isEmpty
    else { throw ValidationError("\(passwordFile): its first line is empty") }
    return String(line)
  }
}
