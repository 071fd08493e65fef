import Foundation
import Hummingbird

/// The last changes as server-sent events, one copy for all browsers.
///
/// A reader is a place in it, nothing more: one that is too slow finds its place gone and begins anew
/// with what is there now. So a browser that stands still costs no memory.
struct UpdateJournal: Sendable {
  /// A place in the journal of this run of the server, `RUN-NUMBER`; it is the event's id.
  struct Position: Equatable, Sendable {
    let run: String
    let number: Int

    init(run: String, number: Int) {
      self.run = run
      self.number = number
    }

    /// Errors: nil if it is none, as of another server.
    init?(_ text: String) {
      let parts = text.split(separator: "-")
      guard parts.count == 2, let number = Int(parts[1]) else { return nil }
      self.init(run: String(parts[0]), number: number)
    }

    var text: String { "\(run)-\(number)" }
  }

  /// What a reader gets next.
  struct Frames: Sendable {
    let bytes: ByteBuffer
    /// Where it goes on; nil: there is no way from where it was.
    let position: Position?
    let isBehind: Bool
  }

  struct Reader: Sendable {
    let id: Int
    /// Something may be there to be read.
    let wakeUps: AsyncStream<Void>
  }

  static let readerLimit = 200
  /// About so much is given to a reader at once.
  private static let frameBytes = 256 << 10

  private struct Entry: Sendable {
    let device: String?
    let frame: ByteBuffer
  }

  let run = String(UInt64.random(in: .min ... .max), radix: 36)
  private let byteLimit: Int
  private var entries: [Entry] = []
  private var bytes = 0
  /// Of the newest entry.
  private var number = 0
  private var readers: [Int: AsyncStream<Void>.Continuation] = [:]
  private var nextReaderID = 0
  private let encoder = JSONEncoder()

  init(byteLimit: Int) { self.byteLimit = byteLimit }

  var position: String { Position(run: run, number: number).text }

  /// Adds an event that all read (`device` nil) or those who look at a device.
  mutating func append(_ event: String, _ content: some Encodable, of device: String?) {
    guard let json = try? encoder.encode(content) else {
      preconditionFailure("numbers that are none are kept out where they come in")
    }
    number += 1
    var frame = ByteBuffer()
    frame.writeString("id: \(Position(run: run, number: number).text)\nevent: \(event)\ndata: ")
    frame.writeBytes(json)
    frame.writeString("\n\n")
    entries.append(Entry(device: device, frame: frame))
    bytes += frame.readableBytes
    var count = 0
    while bytes > byteLimit, count < entries.count - 1 {
      bytes -= entries[count].frame.readableBytes
      count += 1
    }
    entries.removeFirst(count)
  }

  func frames(after position: Position, device: String?) -> Frames {
    let first = number - entries.count
    guard position.run == run, position.number >= first, position.number <= number else {
      return Frames(bytes: ByteBuffer(), position: nil, isBehind: false)
    }
    var result = ByteBuffer()
    var place = position.number
    while place < number, result.readableBytes < Self.frameBytes {
      let entry = entries[place - first]
      if entry.device == nil || entry.device == device {
        result.writeImmutableBuffer(entry.frame)
      }
      place += 1
    }
    return Frames(
      bytes: result, position: Position(run: run, number: place), isBehind: place < number)
  }

  /// Errors: nil if there are too many.
  mutating func addReader() -> Reader? {
    guard readers.count < Self.readerLimit else { return nil }
    let (wakeUps, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    nextReaderID += 1
    readers[nextReaderID] = continuation
    continuation.yield()
    return Reader(id: nextReaderID, wakeUps: wakeUps)
  }

  mutating func removeReader(_ id: Int) {
    readers.removeValue(forKey: id)?.finish()
  }

  var readerCount: Int { readers.count }

  func wakeReaders() {
    for continuation in readers.values { continuation.yield() }
  }
}
