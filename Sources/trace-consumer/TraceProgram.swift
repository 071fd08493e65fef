import BPFObjects
import CLinux
import Linux
import Records

/// A program that runs in the kernel, and what it has for us.
final class TraceProgram {
  let name: Text
  private let manifest: Manifest
  private var object: BPFObject
  private let ring: RingBuffer?
  let aggregations: [Aggregation]
  private let lostMap: BPFMap?
  private var lost: UInt64 = 0
  private var lostTold: UInt64 = 0
  private var unreadable: UInt64 = 0
  private var events: [TracedEvent] = []
  private var nextEvent = 0

  /// Loads and attaches the program of this name, or of this manifest if it is a path.
  static func start(_ asked: Text, folder: Text) throws(ProgramRefusal) -> TraceProgram {
    let isPath = asked.bytes.contains(UInt8(ascii: "/"))
    let stem = isPath ? asked.without(suffix: ".manifest") : "\(folder)/\(asked)"
    let manifest = try manifest(asked, "\(stem).manifest")
    let path = stem + ".bpf.o"
    var object: BPFObject
    let ring: RingBuffer?
    do throws(BPFError) {
      object = try BPFObject(path: path.bytes)
    } catch {
      throw ProgramRefusal(error, path)
    }
    do throws(ManifestMismatch) {
      try object.check(manifest)
    } catch {
      throw ProgramRefusal(error, path)
    }
    do throws(BPFError) {
      var rings: [BPFMap] = []
      for record in manifest.records {
        if let map = object.map(named: record.map) { rings.append(map) }
      }
      ring = rings.isEmpty ? nil : try RingBuffer(rings)
      try object.attach()
    } catch {
      throw ProgramRefusal(error, path)
    }
    return TraceProgram(stem.lastPathComponent, manifest, object, ring)
  }

  private init(
    _ name: Text, _ manifest: Manifest, _ object: consuming BPFObject, _ ring: RingBuffer?
  ) {
    var aggregations: [Aggregation] = []
    let start = monotonicNanoseconds()
    for aggregate in manifest.aggregates {
      guard let map = object.map(named: aggregate.map) else { continue }
      aggregations.append(Aggregation(aggregate, map, start: start))
    }
    self.name = name
    lostMap = manifest.lost.flatMap { object.map(named: $0) }
    self.manifest = manifest
    self.object = object
    self.ring = ring
    self.aggregations = aggregations
  }

  private static func manifest(_ asked: Text, _ path: Text) throws(ProgramRefusal) -> Manifest {
    let text: [UInt8]
    do throws(SystemError) {
      text = try readFile(path)
    } catch {
      throw ProgramRefusal(
        error.errno == ENOENT
          ? "there is no program \(asked): no file \(path)" : error.description)
    }
    do throws(ManifestError) {
      return try Manifest(parsing: text)
    } catch {
      throw ProgramRefusal(error, path)
    }
  }

  /// Readable when there are records; nil for a program that has none.
  var descriptor: Int32? { ring?.descriptor }

  /// Reads what is counted, at this time of CLOCK_MONOTONIC.
  func read(at time: UInt64) {
    for aggregation in aggregations { aggregation.read(at: time) }
    var sum = unreadable
    lostMap?.forEach { _, numbers in sum += numbers[0] }
    lost = sum
  }

  /// The next event that was not told; some more are taken from the kernel when there is none.
  func pendingEvent() -> TracedEvent? {
    if nextEvent == events.count { takeEvents() }
    return nextEvent < events.count ? events[nextEvent] : nil
  }

  func settleEvent() { nextEvent += 1 }

  /// What found no room since this was last told.
  func pendingLoss() -> TracedLoss? {
    guard lost > lostTold else { return nil }
    var body = TracedLoss()
    body.program = FixedText(name)
    body.lostCount = lost - lostTold
    return body
  }

  func settleLoss() { lostTold = lost }

  /// Takes the program out of the kernel; what it has counted can be read on.
  func detach() { object.detach() }

  private func takeEvents() {
    events.removeAll(keepingCapacity: true)
    nextEvent = 0
    guard let ring else { return }
    // In this order: where nothing slept, both are the same but for the time between the two calls.
    let monotonic = monotonicNanoseconds()
    let asleep = bootTimeNanoseconds() - monotonic
    for (source, bytes) in ring.take(atMost: Self.mostEventsAtOnce) {
      let record = manifest.records[source]
      // Shorter than its manifest says: not to be read.
      guard bytes.count >= record.layout.bytes else {
        unreadable += 1
        continue
      }
      events.append(TracedEvent(name, record, bytes, asleep: asleep))
    }
  }

  /// As many as a queue holds; what the queue does not take waits in the kernel.
  private static let mostEventsAtOnce = 64
}

extension Text {
  fileprivate func without(suffix: StaticString) -> Text {
    let length = bytes.count - suffix.utf8CodeUnitCount
    guard length >= 0, Text(bytes[length...]) == suffix else { return self }
    return Text(bytes[..<length])
  }

  fileprivate var lastPathComponent: Text {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
    return Text(bytes[(slash + 1)...])
  }
}
