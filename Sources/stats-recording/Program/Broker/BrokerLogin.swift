import ArgumentParser
import Foundation

/// How a broker is reached, and as whom, where its host is known.
struct BrokerLogin: ParsableArguments {
  @Option(help: ArgumentHelp("Its port; 1883, with TLS 8883.", valueName: "n"))
  var port: Int?

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

  /// What it reads, by the option.
  var files: [String: String] {
    [
      "password-file": passwordFile, "ca-file": caFile, "certificate-file": certificateFile,
      "key-file": keyFile,
    ].compactMapValues(\.self)
  }
}
