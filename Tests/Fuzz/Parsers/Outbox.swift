import Foundation
import Linux
import Records

@testable import posix_mq_to_mqtt_bridge

// What another bridge, a failing disk or somebody's hand left in the outbox and the spill. Most bytes
// are refused at once, so the input says what happens to a file that was whole: where it is cut, and
// which bytes are others. With a zero in front the rest of the input is the file.

/// Outbox files: what is taken over was appended once, byte by byte.
func outboxFile(_ input: [UInt8]) -> CInt {
  guard let damage = Damage(input) else { return -1 }
  let path = Text(cString: folder + "/outbox")
  let place = Outbox.Place(path: path, byteCount: 1 << 12, messageSize: 1024, stamp: stamp)
  expect(write(damage.applied(to: wholeOutbox), to: path.string), "no file can be written")
  var notes: [Text] = []
  guard let outbox = try? Outbox.open(place, &notes) else { fatalError("no outbox at all") }
  var buffer = [UInt8](repeating: 0, count: 8192)
  var count = 0
  while let entry = outbox.take(into: &buffer) {
    expect(entry.length <= buffer.count, "a record beyond its buffer")
    let bytes = Array(buffer[..<entry.length])
    // In the inbox there is no checksum; what is adopted from there is a record all the same.
    let isRecord = (try? Record(decoding: bytes, count: bytes.count)) != nil
    let behindStamp = bytes.dropFirst(BootStamp.encodedSize)
    expect(
      isRecord || damage.isForeign || records.contains(bytes)
        || records.contains(Array(behindStamp)), "a record that was never appended")
    count += 1
    outbox.acknowledge(entry.ticket)
  }
  expect(count <= records.count + 1 || damage.isForeign, "more records than there were")
  expect(outbox.count == 0, "records that cannot be taken")
  expect(count == records.count || !damage.isNone, "a whole file, and not all of its records")
  // It works on: what is appended now can be taken.
  outbox.append(records[0], records[0].count, origin: 1, .event)
  expect(outbox.take(into: &buffer)?.length == records[0].count, "nothing can be appended")
  expect(notes.allSatisfy { !$0.bytes.contains(10) }, "a note of several lines")
  return 0
}

/// Segments of the spill, and names of files.
func spillSegment(_ input: [UInt8]) -> CInt {
  if let segment = SpillSegment(name: input.span) {
    expect(segment.name.bytes == input, "a name with two spellings")
  }
  guard let damage = Damage(input) else { return -1 }
  let segment = SpillSegment(.samples, first: 1, last: 4, count: UInt64(records.count))
  let path = "\(folder)/\(segment.name.string)"
  expect(write(damage.applied(to: wholeSegment), to: path), "no file can be written")
  let reader = SpillReader(segment, in: Text(cString: folder))
  var count: UInt64 = 0
  while reader.peek() != nil {
    count += 1
    if count % 3 == 0 {
      _ = reader.skip()
      continue
    }
    var record: [UInt8] = []
    _ = reader.take(into: &record)
    expect(damage.isForeign || records.contains(record), "a record that was never written")
  }
  expect(reader.count == count, "records that were not counted")
  expect(count == segment.count || !damage.isNone, "a whole file, and not all of its records")
  expect(reader.damaged + count >= segment.count, "a loss without a count")
  expect(reader.complaint?.bytes.contains(10) != true, "a complaint of several lines")
  return 0
}

/// What happens to a file: `length u16, (offset u16, byte)…`, or all of its bytes.
private struct Damage {
  let isForeign: Bool
  private let bytes: ArraySlice<UInt8>

  /// The file stays as it was.
  var isNone: Bool { !isForeign && bytes.count < 2 }

  init?(_ input: [UInt8]) {
    guard let first = input.first else { return nil }
    isForeign = first == 0
    bytes = input.dropFirst()
  }

  func applied(to whole: [UInt8]) -> [UInt8] {
    if isForeign { return Array(bytes) }
    var file = whole
    var rest = bytes
    func number() -> Int? {
      guard rest.count >= 2 else { return nil }
      return Int(rest.removeFirst()) | Int(rest.removeFirst()) << 8
    }
    if let length = number(), length < file.count { file.removeLast(file.count - length) }
    while let offset = number(), let byte = rest.popFirst() {
      if offset < file.count { file[offset] = byte }
    }
    return file
  }
}

private let stamp: BootStamp = {
  var stamp = BootStamp()
  stamp.bootID = FixedText("43908254-216b-467b-8145-3543fe292e1a")
  return stamp
}()

/// In memory; fuzz.sh removes it, since libFuzzer ends the process at once.
private let folder: String = {
  guard let parent = ProcessInfo.processInfo.environment["FUZZ_FOLDER"] else {
    fatalError("FUZZ_FOLDER is not set: run it by fuzz.sh")
  }
  let folder = "\(parent)/\(getpid())"
  guard mkdir(folder, 0o700) == 0 else { fatalError("mkdir: \(String(cString: strerror(errno)))") }
  return folder
}()

/// Four records; one is longer than a slot.
private let records: [[UInt8]] = (0..<4).map { number in
  var body = SystemInformation()
  body.uptimeSeconds = UInt64(number)
  var header = RecordHeader(instance: 7, sequence: UInt64(number))
  var bytes: [UInt8] = []
  if number == 2 {
    var dump = CoreDump()
    header.encode(&dump, into: &bytes)
  } else {
    header.encode(&body, into: &bytes)
  }
  return bytes
}

private let wholeOutbox: [UInt8] = {
  let path = Text(cString: folder + "/whole")
  var notes: [Text] = []
  let place = Outbox.Place(path: path, byteCount: 1 << 12, messageSize: 1024, stamp: stamp)
  guard let outbox = try? Outbox.open(place, &notes) else { fatalError("no outbox") }
  for (index, record) in records.enumerated() {
    outbox.append(record, record.count, origin: 1, index % 2 == 0 ? .sample : .event)
  }
  guard let bytes = FileManager.default.contents(atPath: path.string) else {
    fatalError("no file")
  }
  return Array(bytes)
}()

private let wholeSegment: [UInt8] = {
  var bytes: [UInt8] = []
  SpillEntry.encodeHeader(stamp, into: &bytes)
  for (index, record) in records.enumerated() {
    SpillEntry.encode(record, record.count, origin: 1, arrival: UInt64(index + 1), into: &bytes)
  }
  return bytes
}()

private func write(_ bytes: [UInt8], to path: String) -> Bool {
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard file >= 0 else { return false }
  defer { close(file) }
  return write(file, bytes, bytes.count) == bytes.count
}

extension Text {
  fileprivate var string: String { String(decoding: bytes, as: UTF8.self) }
}
