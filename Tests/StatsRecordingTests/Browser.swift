import Foundation
import Testing

@testable import DeviceRig

/// A real Chromium without a window, driven through chromedriver(1) by the WebDriver protocol.
final class Browser {
  private let driver: ChildProcess
  private let address: String
  private var session = ""
  /// What the page wrote to its console, and asked of the network, up to now.
  private(set) var console: [String] = []
  private(set) var requests: [String] = []

  init(in folder: URL, width: Int = 1440, height: Int = 1000) throws {
    let command = try #require(Machine.command("chromedriver"), "chromium-driver is not installed")
    let driver = try ChildProcess([command, "--port=0"], name: "chromedriver", in: folder)
    self.driver = driver
    try eventually("chromedriver listens", within: 20) { Self.port(driver) != nil }
    address = "http://127.0.0.1:\(try #require(Self.port(driver)))"
    let arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-extensions",
      "--hide-scrollbars", "--window-size=\(width),\(height)",
      "--user-data-dir=\(folder.appending(path: "chromium").path())",
    ]
    let capabilities: [String: Any] = [
      "goog:chromeOptions": ["args": arguments],
      "goog:loggingPrefs": ["browser": "ALL", "performance": "ALL"],
    ]
    let answer = try WebAnswer(
      "\(address)/session", method: "POST",
      json: ["capabilities": ["alwaysMatch": capabilities]], within: 60)
    let value = answer.object["value"] as? [String: Any]
    session = try #require(value?["sessionId"] as? String, "\(answer.text)")
  }

  deinit {
    if !session.isEmpty {
      _ = try? WebAnswer("\(address)/session/\(session)", method: "DELETE")
    }
    driver.send(SIGTERM)
    _ = try? driver.wait()
  }

  private static func port(_ driver: ChildProcess) -> String? {
    driver.output.compactMap { $0.firstMatch(of: #/successfully on port (\d+)/#)?.1 }.first
      .map(String.init)
  }

  @discardableResult
  private func call(_ path: String, _ json: Any) throws -> Any? {
    let answer = try WebAnswer(
      "\(address)/session/\(session)/\(path)", method: "POST", json: json, within: 60)
    try #require(answer.status == 200, "\(path): \(answer.text)")
    return answer.object["value"]
  }

  func open(_ url: String) throws { try call("url", ["url": url]) }

  /// Runs a function's body in the page: `return document.title`.
  @discardableResult
  func script(_ body: String) throws -> Any? {
    try call("execute/sync", ["script": body, "args": [Any]()])
  }

  func integer(_ body: String) throws -> Int { (try script(body) as? NSNumber)?.intValue ?? -1 }
  func text(_ body: String) throws -> String { try script(body) as? String ?? "" }
  func isTrue(_ body: String) throws -> Bool { try script(body) as? Bool ?? false }

  /// A command of the DevTools protocol.
  func devTools(_ command: String, _ parameters: [String: Any]) throws {
    try call("goog/cdp/execute", ["cmd": command, "params": parameters])
  }

  func resize(width: Int, height: Int, isPhone: Bool = false) throws {
    try devTools(
      "Emulation.setDeviceMetricsOverride",
      [
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": isPhone,
      ])
  }

  func prefer(_ features: [String: String]) throws {
    try devTools(
      "Emulation.setEmulatedMedia",
      ["features": features.map { ["name": $0.key, "value": $0.value] }])
  }

  /// Presses and releases a key, by what it writes or by its code of WebDriver.
  func press(_ key: String) throws {
    try call(
      "actions",
      [
        "actions": [
          [
            "type": "key", "id": "keyboard",
            "actions": [["type": "keyDown", "value": key], ["type": "keyUp", "value": key]],
          ]
        ]
      ])
  }

  static let tab = "\u{E004}"
  static let escape = "\u{E00C}"
  static let rightArrow = "\u{E014}"

  func screenshot(_ path: URL) throws {
    let answer = try WebAnswer("\(address)/session/\(session)/screenshot", within: 60)
    let base64 = try #require(answer.object["value"] as? String)
    try #require(Data(base64Encoded: base64)).write(to: path)
  }

  /// Reads what came since the last call into ``console`` and ``requests``.
  func readLogs() throws {
    for entry in try log("browser") {
      console.append("\(entry["level"] ?? "") \(entry["message"] ?? "")")
    }
    for entry in try log("performance") {
      let data = Data((entry["message"] as? String ?? "").utf8)
      let outer = try JSONSerialization.jsonObject(with: data) as? [String: Any]
      let message = outer?["message"] as? [String: Any]
      guard message?["method"] as? String == "Network.requestWillBeSent" else { continue }
      let request = (message?["params"] as? [String: Any])?["request"] as? [String: Any]
      if let url = request?["url"] as? String { requests.append(url) }
    }
  }

  private func log(_ type: String) throws -> [[String: Any]] {
    try call("se/log", ["type": type]) as? [[String: Any]] ?? []
  }
}
