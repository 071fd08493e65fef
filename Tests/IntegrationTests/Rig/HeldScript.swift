import CLinux
import Foundation
import Testing

/// What a test writes to another process's standard input; it ends when nobody holds it any more,
/// also because the test was killed.
final class Feed {
  let path: String
  private var descriptor: Int32

  init(in folder: URL) throws {
    path = folder.appending(path: "feed-\(Machine.uniqueName())").path()
    try #require(mkfifo(path, 0o600) == 0, "mkfifo: \(String(cString: strerror(errno)))")
    // For reading too: so it opens at once. No other child may hold it open.
    descriptor = clinux_open(path, O_RDWR | O_CLOEXEC, 0)
    try #require(descriptor >= 0)
  }

  deinit { end() }

  func write(_ text: String) {
    let bytes = [UInt8](text.utf8)
    #expect(CLinux.write(descriptor, bytes, bytes.count) == bytes.count)
  }

  func end() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}

/// A shell script that sets something up, says `ready`, reads its standard input to its end, and
/// takes everything down: so it does whatever becomes of the test.
final class HeldScript {
  private let process: ChildProcess
  private let feed: Feed

  init(_ script: String, _ arguments: [String], _ rig: Rig) throws {
    let feed = try Feed(in: rig.folder)
    let process = try ChildProcess(
      ["/bin/sh", "-c", script, "sh"] + arguments, name: "script", in: rig.folder,
      input: feed.path)
    self.feed = feed
    self.process = process
    try eventually("the script is ready", within: 20) {
      process.output.contains("ready") || !process.isRunning
    }
    try #require(process.isRunning, "the script: \(process.log)")
  }

  /// Has it take everything down.
  func end() throws {
    feed.end()
    _ = try process.wait()
  }

  deinit { if process.isRunning { try? end() } }

  var log: [String] { process.log }
}
