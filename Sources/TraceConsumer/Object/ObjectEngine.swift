import BPFObjects
import Foundation

/// Runs BPF programs that were compiled before, without a compiler on this machine.
///
/// The program is the path of a manifest, `NAME.manifest`; `NAME.bpf.o` beside it has the code.
final class ObjectEngine: TraceEngine, @unchecked Sendable {
  /// Guards everything below, and tells of the end.
  private let condition = NSCondition()
  private var path = ""
  private var manifest: Manifest?
  private var object: ObjectHolder?
  private var ring: RingBuffer?
  private var isStopped = false
  private var records = TracedRecords()
  private var reported: [Int: [[TraceKey]: TraceValue]] = [:]
  private var lostBefore: Int64 = 0

  /// A class, since a property of a class cannot be taken out and put back.
  private final class ObjectHolder {
    var object: BPFObject

    init(path: String) throws(BPFError) { object = try BPFObject(path: Array(path.utf8)) }
  }

  func version() throws(TraceError) -> String { "libbpf" }

  func setOption(_ name: String, _ value: String) throws(TraceError) {
    throw .unknownOption(name, known: ["none"])
  }

  func compile(_ program: String) throws(TraceError) {
    condition.lock()
    defer { condition.unlock() }
    guard object == nil else { throw .outOfOrder("one consumer runs one program; make another") }
    guard let text = FileManager.default.contents(atPath: program) else {
      throw .program(message: "cannot read \(program)", line: nil, column: nil)
    }
    do {
      manifest = try Manifest(parsing: Array(text))
    } catch {
      throw .program(message: "\(error.reason)", line: error.line, column: error.column)
    }
    path = String(program.hasSuffix(".manifest") ? program.dropLast(9) : program[...]) + ".bpf.o"
  }

  func go() throws(TraceError) {
    condition.lock()
    defer { condition.unlock() }
    guard let manifest else { throw .outOfOrder("compile a program before go") }
    guard object == nil else { throw .outOfOrder("go was called before") }
    do {
      let holder = try ObjectHolder(path: path)
      try check(manifest, holder)
      try check(manifest.tracepoints)
      let maps = manifest.records.compactMap { holder.object.map(named: $0.map) }
      if !maps.isEmpty { ring = try RingBuffer(maps) }
      try holder.object.attach()
      object = holder
    } catch let error as BPFError {
      throw refusal(error)
    } catch let error as TraceError {
      throw error
    } catch {
      throw .cannotAttach("\(error)")
    }
  }

  private func check(_ manifest: Manifest, _ holder: ObjectHolder) throws(TraceError) {
    do {
      try holder.object.check(manifest)
    } catch {
      let words =
        switch error.difference {
        case .missing: "does not exist"
        case .keyBytes(let found, let wanted):
          "has keys of \(found) bytes, the manifest \(wanted)"
        case .valueBytes(let found, let wanted): "has values of \(found) bytes, not \(wanted)"
        case .noRingBuffer: "is no ring buffer"
        }
      let map = String(decoding: error.map, as: UTF8.self)
      throw .program(message: "map \(map) of \(path) \(words)", line: nil, column: nil)
    }
  }

  /// The places of a tracepoint's fields are compiled in. A tracepoint that is not there cannot be
  /// attached to, which says more.
  private func check(_ tracepoints: [Manifest.Tracepoint]) throws(TraceError) {
    for tracepoint in tracepoints {
      let name = String(decoding: tracepoint.name, as: UTF8.self)
      let files = ["tracing", "debug/tracing"].map { "/sys/kernel/\($0)/events/\(name)/format" }
      guard let text = files.lazy.compactMap({ FileManager.default.contents(atPath: $0) }).first,
        let (wanted, found) = tracepoint.difference(from: TracepointFormat(parsing: Array(text)))
      else { continue }
      let field = String(decoding: wanted.name, as: UTF8.self)
      let has = found.map { "at byte \($0.offset), of \($0.bytes) bytes" } ?? "nowhere"
      throw .cannotAttach(
        "\(path) reads \(field) of \(name) at byte \(wanted.offset), of \(wanted.bytes) bytes; "
          + "this kernel has it \(has): compile it for this kernel")
    }
  }

  private func refusal(_ error: BPFError) -> TraceError {
    let words =
      String(decoding: error.words, as: UTF8.self)
      .split(separator: "\n").first.map(String.init) ?? String(cString: strerror(error.errno))
    if error.errno == EPERM || error.errno == EACCES {
      return .notPermitted("\(path): needs root, or CAP_BPF and CAP_PERFMON: \(words)")
    }
    if "\(error.call)" == "attach", error.errno == ENOENT,
      !FileManager.default.fileExists(atPath: "/sys/kernel/tracing/events")
    {
      return .noTracefs
    }
    return .cannotAttach("\(path): \(error.call): \(words)")
  }

  func waitForRecords(until deadline: ContinuousClock.Instant) {
    while true {
      condition.lock()
      let isOver = isStopped || !records.isEmpty || object == nil
      let descriptor = ring?.descriptor ?? -1
      condition.unlock()
      let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
      guard !isOver, left > 0 else { return }
      // In pieces, so that a stop from another thread does not wait.
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&polled, 1, Int32(min(left.rounded(.up), 100))) > 0 { return }
    }
  }

  func takeRecords() throws(TraceError) -> [TracedRecord] {
    condition.lock()
    defer { condition.unlock() }
    receive()
    return records.take()
  }

  private func receive() {
    guard let manifest, let object else { return }
    for (source, bytes) in ring?.take() ?? [] {
      let description = manifest.records[source]
      guard bytes.count >= description.layout.bytes else { continue }
      records.add(probe(description, bytes), [.values(description.layout.values(bytes)), .end])
    }
    guard let name = manifest.lost, let map = object.object.map(named: name) else { return }
    var lost: Int64 = 0
    map.forEach { _, numbers in lost += Int64(bitPattern: numbers.first ?? 0) }
    if lost > lostBefore {
      records.add(engineProbe, [.lost(TraceLoss(.buffer, count: lost - lostBefore))])
    }
    lostBefore = lost
  }

  private var engineProbe: TraceProbe {
    TraceProbe(provider: "object", module: URL(filePath: path).lastPathComponent)
  }

  /// Fields of these names tell of the circumstances.
  private func probe(_ record: Manifest.Record, _ bytes: [UInt8]) -> TraceProbe {
    var probe = engineProbe
    probe.name = String(decoding: record.map, as: UTF8.self)
    for field in record.layout.fields {
      switch (String(decoding: field.name, as: UTF8.self), field.value(bytes)) {
      case ("nsecs", .integer(let number)): probe.nanoseconds = UInt64(bitPattern: number)
      case ("cpu", .integer(let number)): probe.cpu = Int(number)
      case ("pid", .integer(let number)): probe.processID = Int(number)
      case ("comm", .text(let text)): probe.command = text
      default: break
      }
    }
    return probe
  }

  var isOver: Bool {
    condition.lock()
    defer { condition.unlock() }
    if isStopped { receive() }
    return isStopped && records.isEmpty
  }

  func takeAggregates() throws(TraceError) -> [TraceAggregate] {
    condition.lock()
    defer { condition.unlock() }
    guard let manifest, let object else { throw .outOfOrder("nothing runs; go comes first") }
    var taken: [TraceAggregate] = []
    for (index, aggregate) in manifest.aggregates.enumerated() {
      guard let map = object.object.map(named: aggregate.map) else { continue }
      let name = String(decoding: aggregate.map, as: UTF8.self)
      let id = TraceAggregationID(number: index + 1, name: name)
      map.forEach { bytes, numbers in
        let key = aggregate.key.values(bytes)
        let value = aggregate.kind.value(numbers)
        if let new = value.since(reported[id.number]?[key]) {
          taken.append(TraceAggregate(id: id, key: key, value: new))
        }
        reported[id.number, default: [:]][key] = value
      }
    }
    return taken
  }

  func clearAggregates() throws(TraceError) { _ = try takeAggregates() }

  func stop() throws(TraceError) {
    condition.lock()
    defer { condition.unlock() }
    guard let object else { throw .outOfOrder("nothing runs; go comes first") }
    object.object.detach()
    isStopped = true
  }

  func abandon() {
    condition.lock()
    defer { condition.unlock() }
    object?.object.detach()
    isStopped = true
  }
}
