import Foundation
import Testing

@testable import DeviceRig

/// An answer over HTTP, waited for; curl(1) asks, which takes from chromedriver what URLSession does not.
struct WebAnswer {
  let status: Int
  let headers: [String: String]
  let body: Data

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: Any? { try? JSONSerialization.jsonObject(with: body) }
  var object: [String: Any] { json as? [String: Any] ?? [:] }

  init(
    _ address: String, method: String = "GET", headers: [String: String] = [:], json: Any? = nil,
    within seconds: Double = 30
  ) throws {
    let curl = try #require(Machine.command("curl"), "curl is not installed")
    let folder = FileManager.default.temporaryDirectory.appending(path: Machine.uniqueName())
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var command = [
      curl, "--silent", "--show-error", "--max-time", "\(Int(seconds))", "--request", method,
      "--dump-header", folder.appending(path: "headers").path(),
      "--output", folder.appending(path: "body").path(),
    ]
    for (name, value) in headers { command += ["--header", "\(name): \(value)"] }
    if let json {
      let path = folder.appending(path: "request")
      try JSONSerialization.data(withJSONObject: json).write(to: path)
      command += ["--header", "Content-Type: application/json", "--data-binary", "@\(path.path())"]
    }
    let process = try ChildProcess(command + [address], name: "curl", in: folder)
    let result = try process.wait(within: seconds + 5)
    try #require(result == 0, "\(method) \(address): \(process.log)")
    let lines = try String(contentsOf: folder.appending(path: "headers"), encoding: .utf8)
      .split(whereSeparator: \.isNewline)
    status = Int(lines.first?.split(separator: " ").dropFirst().first ?? "") ?? 0
    self.headers = Dictionary(
      lines.dropFirst().compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        return (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces))
      }, uniquingKeysWith: { first, _ in first })
    body = (try? Data(contentsOf: folder.appending(path: "body"))) ?? Data()
  }
}
