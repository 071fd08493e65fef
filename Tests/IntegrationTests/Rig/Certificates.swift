import Foundation
import Testing

/// A certificate authority of the test's own, and what it signs; made with openssl(1).
struct Certificates {
  private let folder: URL
  private let openssl: String

  init(in folder: URL) throws {
    self.folder = folder
    openssl = try #require(Machine.command("openssl"), "openssl is not installed")
    for name in ["ca", "other-ca"] {
      try run(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", path("\(name).key"), "-out", path("\(name).pem"), "-subj", "/CN=\(name)",
        "-days", "2")
    }
  }

  func path(_ name: String) -> String { folder.appending(path: name).path() }

  var authority: String { path("ca.pem") }
  var otherAuthority: String { path("other-ca.pem") }

  /// Signs `<name>.pem` with the key `<name>.key` for this host name or address; valid for `days`
  /// from now, or until some days ago.
  func sign(_ name: String, for subject: String, days: Int = 2) throws {
    let alternative = subject.first?.isNumber == true ? "IP:\(subject)" : "DNS:\(subject)"
    try "subjectAltName=\(alternative)\n".write(
      toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
    try run(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
      path("\(name).key"), "-out", path("\(name).csr"), "-subj", "/CN=\(subject)")
    try run(
      "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey",
      path("ca.key"), "-CAcreateserial", "-days", "\(days)", "-extfile", path("\(name).ext"),
      "-out", path("\(name).pem"))
  }

  private func run(_ arguments: String...) throws {
    let process = try ChildProcess([openssl] + arguments, name: "openssl", in: folder)
    let status = try process.wait()
    try #require(status == 0, "openssl \(arguments[0]): \(process.log.joined(separator: "; "))")
  }
}
