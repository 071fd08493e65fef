import BPFObjects
import CLinux
import Linux
import Records

/// An object that runs in the kernel, compiled before, as its manifest describes it.
final class ObjectProgram: TraceProgram {
  private let manifest: Manifest
  private var object: BPFObject
  private let ring: RingBuffer?
  private var maps: [MapAggregation] = []
  private let lostMap: BPFMap?
  private var unreadable: UInt64 = 0

  /// Loads and attaches the program of this name, or of this manifest if it is a path.
  static func start(_ asked: Text, folder: Text) throws(ProgramRefusal) -> ObjectProgram {
    let isPath = asked.bytes.contains(UInt8(ascii: "/"))
    let stem = isPath ? asked.without(suffix: ".manifest") : "\(folder)/\(asked)"
    let manifest = try manifest(asked, "\(stem).manifest")
    let path = stem + ".bpf.o"
    try check(manifest.tracepoints, path)
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
    return ObjectProgram(stem.lastPathComponent, manifest, object, ring)
  }

  private init(
    _ name: Text, _ manifest: Manifest, _ object: consuming BPFObject, _ ring: RingBuffer?
  ) {
    lostMap = manifest.lost.flatMap { object.map(named: $0) }
    self.manifest = manifest
    for aggregate in manifest.aggregates {
      guard let map = object.map(named: aggregate.map) else { continue }
      maps.append(MapAggregation(aggregate, map, start: monotonicNanoseconds()))
    }
    self.object = object
    self.ring = ring
    super.init(name)
    for map in maps { aggregations.append(map) }
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

  /// The places of a tracepoint's fields are compiled in: of another kernel they would be read as what
  /// they are not. A tracepoint that is not there cannot be attached to, which says more.
  private static func check(
    _ tracepoints: [Manifest.Tracepoint], _ path: Text
  ) throws(ProgramRefusal) {
    for tracepoint in tracepoints {
      let name = Text(tracepoint.name)
      guard
        let text = (try? readFile("/sys/kernel/tracing/events/\(name)/format"))
          ?? (try? readFile("/sys/kernel/debug/tracing/events/\(name)/format"))
      else { continue }
      guard let (wanted, found) = tracepoint.difference(from: TracepointFormat(parsing: text))
      else { continue }
      throw ProgramRefusal(path, name, wanted, found)
    }
  }

  override var descriptor: Int32? { ring?.descriptor }

  override func read(at time: UInt64, queueIsFull: Bool) {
    for map in maps { map.read(at: time) }
    var sum = unreadable
    lostMap?.forEach { _, numbers in sum += numbers[0] }
    lost = sum
  }

  override func finish() { object.detach() }

  override func takeEvents() {
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
  func ends(with suffix: StaticString) -> Bool {
    Text(bytes.suffix(suffix.utf8CodeUnitCount)) == suffix
  }

  func without(suffix: StaticString) -> Text {
    ends(with: suffix) ? Text(bytes.dropLast(suffix.utf8CodeUnitCount)) : self
  }

  var lastPathComponent: Text {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
    return Text(bytes[(slash + 1)...])
  }
}
