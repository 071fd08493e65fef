import Foundation

/// Where a device's files are: the machine's own, or captures of another one.
struct DeviceRoots: Sendable {
  var procfs = "/proc"
  var sysfs = "/sys"
  var etc = "/etc"
  var variable = "/var"

  /// The text of a file. Errors: why there is none.
  func read(_ path: String) throws(FileFailure) -> String {
    guard let file = fopen(path, "r") else { throw FileFailure(path: path, number: errno) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < 1 << 20 {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 {
        guard ferror(file) == 0 else { throw FileFailure(path: path, number: errno) }
        break
      }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func names(in path: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }

  func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether it is a Raspberry Pi, by its device tree.
  var isRaspberryPi: Bool {
    let model =
      (try? read("\(procfs)/device-tree/model"))
      ?? (try? read("\(sysfs)/firmware/devicetree/base/model"))
    return model?.hasPrefix("Raspberry Pi") == true
  }
}

struct FileFailure: Error, CustomStringConvertible {
  let path: String
  let number: Int32

  var description: String { "\(path): \(String(cString: strerror(number)))" }
}

/// Runs a command and returns what it printed, or nil if it is not there or fails.
func output(of command: [String], within seconds: Double = 10) -> String? {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = command
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = FileHandle.nullDevice
  process.standardInput = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return nil }
  let timer = DispatchSource.makeTimerSource()
  timer.schedule(deadline: .now() + seconds)
  timer.setEventHandler { process.terminate() }
  timer.resume()
  defer { timer.cancel() }
  let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
  process.waitUntilExit()
  return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
}
