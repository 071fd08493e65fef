import ArgumentParser
import Foundation

/// Where the database is, which of InfluxDB's two ways of writing it wants, and as whom.
struct DatabaseOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The database's address.", valueName: "url"))
  var url = "http://127.0.0.1:8086"

  @Option(help: ArgumentHelp("Write to this database of version 1 [stats].", valueName: "name"))
  var database: String?

  @Option(help: ArgumentHelp("Who to log in as, version 1.", valueName: "name"))
  var databaseUsername: String?

  @Option(
    help: ArgumentHelp("The database's password is its first line, version 1.", valueName: "file"))
  var databasePasswordFile: String?

  @Option(help: ArgumentHelp("Write to this bucket of version 2.", valueName: "name"))
  var bucket: String?

  @Option(help: ArgumentHelp("The bucket's organization.", valueName: "name"))
  var org: String?

  @Option(help: ArgumentHelp("The token is its first line, version 2.", valueName: "file"))
  var tokenFile: String?

  @Option(
    help: ArgumentHelp(
      "Trust these authorities (PEM) with https, instead of the system's.", valueName: "file"),
    completion: .file())
  var databaseCaFile: String?

  @Flag(help: "Do not compress what is sent to the database.")
  var noGzip = false

  func validate() throws {
    guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme),
      parsed.host?.isEmpty == false, parsed.query == nil
    else { throw ValidationError("--url \(url): an address as http://influx.example:8086") }
    // InfluxDB says 400 to a write without one, as it does to a bad point.
    if bucket != nil && org == nil { throw ValidationError("--bucket needs --org") }
    if bucket == nil && (org != nil || tokenFile != nil) {
      throw ValidationError("--org and --token-file need --bucket")
    }
    if bucket != nil && (database ?? databaseUsername ?? databasePasswordFile) != nil {
      throw ValidationError("--bucket is of version 2, --database of version 1: one of them")
    }
    if (databaseUsername == nil) != (databasePasswordFile == nil) {
      throw ValidationError("--database-username and --database-password-file go together")
    }
    if let databaseCaFile {
      guard parsed.scheme == "https" else {
        throw ValidationError("--database-ca-file needs a --url that begins with https://")
      }
      guard let content = FileManager.default.contents(atPath: databaseCaFile) else {
        throw ValidationError("\(databaseCaFile): \(String(cString: strerror(errno)))")
      }
      guard String(decoding: content, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
        throw ValidationError("\(databaseCaFile): no certificate (PEM) in it")
      }
    }
    _ = try authorization()
  }

  /// The address that points are posted to.
  var writeAddress: String {
    var parts = URLComponents()
    if let bucket {
      parts.path = "/api/v2/write"
      parts.queryItems = [
        URLQueryItem(name: "bucket", value: bucket), URLQueryItem(name: "precision", value: "ns"),
      ]
      if let org { parts.queryItems?.append(URLQueryItem(name: "org", value: org)) }
    } else {
      parts.path = "/write"
      parts.queryItems = [
        URLQueryItem(name: "db", value: database ?? "stats"),
        URLQueryItem(name: "precision", value: "ns"),
      ]
    }
    // URLComponents leaves a plus as it is, which a server reads as a space.
    let query = (parts.percentEncodedQuery ?? "").replacing("+", with: "%2B")
    let base = url.hasSuffix("/") ? String(url.dropLast()) : url
    return "\(base)\(parts.path)?\(query)"
  }

  /// The header `Authorization`. Errors: a file cannot be read, or its first line is empty.
  func authorization() throws -> String? {
    if let tokenFile { return "Token \(try Self.secret(tokenFile))" }
    guard let databaseUsername, let databasePasswordFile else { return nil }
    let pair = "\(databaseUsername):\(try Self.secret(databasePasswordFile))"
    return "Basic \(Data(pair.utf8).base64EncodedString())"
  }

  private static func secret(_ path: String) throws -> String {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw ValidationError("\(path): \(String(cString: strerror(errno)))")
    }
    let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
      .trimmingCharacters(in: .whitespaces)
    guard !line.isEmpty else { throw ValidationError("\(path): its first line is empty") }
    return line
  }
}
