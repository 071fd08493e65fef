import CTrace
import Glibc

/// A handle of libdtrace with one program; closing it, which takes seconds, takes the probes away.
///
/// Not for two threads at once, and only one program in a process; see `DTurn`.
struct DSession: ~Copyable {
  private let library: LibDTrace
  private let handle: OpaquePointer
  private let output: PrintedText
  private let receiver: DReceiver

  enum Work: Sendable { case isRunning, isDone }

  init(_ library: LibDTrace) throws(TraceError) {
    var number: Int32 = 0
    guard let handle = library.open(CTRACE_DTRACE_VERSION, 0, &number) else {
      throw .failed(
        call: "dtrace_open", words: library.words(nil, number))
    }
    guard let output = PrintedText() else {
      library.close(handle)
      throw .system(call: "open_memstream", errno: errno)
    }
    self.library = library
    self.handle = handle
    self.output = output
    receiver = DReceiver(output)
  }

  deinit { library.close(handle) }

  private var words: String { library.words(handle, errorNumber) }

  private var errorNumber: Int32 { library.errorNumber(handle) }

  private func failure(_ call: String) -> TraceError { .failed(call: call, words: words) }

  /// Nil if it was taken; else libdtrace's words.
  func setOption(_ name: String, _ value: String) -> String? {
    library.setOption(handle, name, value.isEmpty ? nil : value) == 0 ? nil : words
  }

  /// Returns what libdtrace says of a wrong program; throws if it is libdtrace that fails.
  ///
  /// As a file, since libdtrace tells no lines of a text. The program is read before that of the error
  /// handler is enabled: libdtrace 2.0.7 makes room for as many clauses as there are by then, and writes
  /// beyond it for every one that comes later.
  func compile(_ text: String) throws(TraceError) -> String? {
    guard library.initialize(handle) == 0 else { throw failure("dtrace_init") }
    var bytes = Array((text + "\n").utf8)
    let size = bytes.count
    let program = bytes.withUnsafeMutableBytes { buffer -> OpaquePointer? in
      guard let file = fmemopen(buffer.baseAddress, size, "r") else { return nil }
      defer { fclose(file) }
      return library.compile(handle, file, 0, 0, nil)
    }
    guard let program else { return words }
    let context = Unmanaged.passUnretained(receiver).toOpaque()
    guard library.handleErrors(handle, DReceiver.onError, context) == 0 else {
      throw failure("dtrace_handle_err")
    }
    guard library.handleDrops(handle, DReceiver.onDrop, context) == 0 else {
      throw failure("dtrace_handle_drop")
    }
    guard library.enable(handle, program, nil) == 0 else { return words }
    return nil
  }

  /// Nil if the probes are in place; else libdtrace's words.
  func go() -> String? { library.go(handle, 0) == 0 ? nil : words }

  /// Takes what the probes recorded, for a few milliseconds.
  func work() throws(TraceError) -> Work {
    let status = library.work(
      handle, output.stream, DReceiver.onProbe, DReceiver.onRecord,
      Unmanaged.passUnretained(receiver).toOpaque())
    switch status {
    case CTRACE_DTRACE_WORKSTATUS_DONE: return .isDone
    case CTRACE_DTRACE_WORKSTATUS_OKAY: return .isRunning
    default:
      // A signal that another part of the process handles.
      guard errorNumber != EINTR else { return .isRunning }
      throw failure("dtrace_work")
    }
  }

  func takeRecords(into records: inout TracedRecords) { receiver.take(into: &records) }

  /// The probes fire no more, and the program's END has.
  func stop() throws(TraceError) {
    guard library.stop(handle) == 0 else { throw failure("dtrace_stop") }
  }

  /// All aggregations as they are now.
  func snapshot() throws(TraceError) -> [DAggregation] {
    // A snapshot holds until records were consumed, and those are at most once in a `switchrate`.
    usleep(2000)
    _ = try work()
    guard library.snapshot(handle) == 0 else { throw failure("dtrace_aggregate_snap") }
    let walk = DWalk { [library, handle] field, bytes in
      Self.symbol(library, handle, field, bytes)
    }
    let context = Unmanaged.passUnretained(walk).toOpaque()
    guard library.walk(handle, DWalk.onAggregate, context) == 0 else {
      throw failure("dtrace_aggregate_walk")
    }
    return walk.aggregations
  }

  /// What stands at an address in the kernel or, after the id of a process, in its memory.
  private static func symbol(
    _ library: LibDTrace, _ handle: OpaquePointer, _ field: DField, _ bytes: [UInt8]
  ) -> String? {
    let numbers = bytes.withUnsafeBytes { raw in
      stride(from: 0, to: raw.count - 7, by: 8).map {
        raw.loadUnaligned(fromByteOffset: $0, as: UInt64.self)
      }
    }
    func text(_ call: (UnsafeMutablePointer<CChar>, Int32) -> Int32) -> String {
      var buffer = [CChar](repeating: 0, count: 1024)
      _ = buffer.withUnsafeMutableBufferPointer { call($0.baseAddress!, Int32($0.count)) }
      return String(
        decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    func kernel(_ address: UInt64) -> String {
      text { library.symbol(handle, address, $0, $1) }
    }
    func user(_ address: UInt64) -> String {
      text { library.userSymbol(handle, pid_t(truncatingIfNeeded: numbers[0]), address, $0, $1) }
    }
    guard let first = numbers.first else { return nil }
    switch field.action {
    case DField.Action.symbol: return kernel(first)
    case DField.Action.module: return kernel(first).split(separator: "`").first.map(String.init)
    case DField.Action.stack:
      return numbers.prefix { $0 != 0 }.map(kernel).joined(separator: "\n")
    case DField.Action.userSymbol, DField.Action.userAddress:
      return numbers.count > 1 ? user(numbers[1]) : nil
    case DField.Action.userModule:
      return numbers.count > 1
        ? user(numbers[1]).split(separator: "`").first.map(String.init) : nil
    case DField.Action.userStack:
      return numbers.dropFirst().prefix { $0 != 0 }.map(user).joined(separator: "\n")
    default: return nil
    }
  }
}

/// What libdtrace prints meanwhile, in memory.
private final class PrintedText {
  let stream: UnsafeMutablePointer<FILE>
  private let buffer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let size: UnsafeMutablePointer<Int>

  init?() {
    buffer = .allocate(capacity: 1)
    buffer.initialize(to: nil)
    size = .allocate(capacity: 1)
    size.initialize(to: 0)
    guard let stream = open_memstream(buffer, size) else {
      buffer.deallocate()
      size.deallocate()
      return nil
    }
    self.stream = stream
  }

  deinit {
    fclose(stream)
    free(buffer.pointee)
    buffer.deallocate()
    size.deallocate()
  }

  /// What was printed since the last call.
  func take() -> String {
    fflush(stream)
    let bytes = UnsafeRawBufferPointer(start: buffer.pointee, count: size.pointee)
    let text = String(decoding: bytes, as: UTF8.self)
    rewind(stream)
    fflush(stream)
    return text
  }
}

/// Takes what libdtrace calls back with.
private final class DReceiver {
  private let output: PrintedText
  private var probe = TraceProbe(provider: "dtrace")
  private var records: [TraceRecord] = []
  private var complete: [(TraceProbe, [TraceRecord])] = []

  init(_ output: PrintedText) { self.output = output }

  func take(into all: inout TracedRecords) {
    for (probe, records) in complete {
      if case .lost(let loss) = records.first {
        all.addUp(probe, loss.reason, count: loss.count)
      } else {
        all.add(probe, records)
      }
    }
    complete = []
  }

  private static func receiver(_ context: UnsafeMutableRawPointer?) -> DReceiver? {
    context.map { Unmanaged<DReceiver>.fromOpaque($0).takeUnretainedValue() }
  }

  private func takePrinted() {
    let text = output.take()
    if !text.isEmpty { records.append(.printed(text)) }
  }

  static let onProbe: ctrace_dtrace_consume_probe = { data, context in
    guard let data, let receiver = receiver(context) else { return CTRACE_DTRACE_CONSUME_THIS }
    receiver.probe = TraceProbe(data.pointee.probe)
    receiver.probe.cpu = Int(data.pointee.cpu)
    return CTRACE_DTRACE_CONSUME_THIS
  }

  static let onRecord: ctrace_dtrace_consume_record = { data, record, context in
    guard let data, let receiver = receiver(context) else { return CTRACE_DTRACE_CONSUME_THIS }
    receiver.takePrinted()
    guard let record else {
      receiver.complete.append((receiver.probe, receiver.records + [.end]))
      receiver.records = []
      return CTRACE_DTRACE_CONSUME_THIS
    }
    let field = DField(record.pointee)
    if field.action == DField.Action.exit { return CTRACE_DTRACE_CONSUME_NEXT }
    let bytes = Array(UnsafeRawBufferPointer(start: data.pointee.data, count: field.bytes))
    guard let value = field.traced(bytes) else { return CTRACE_DTRACE_CONSUME_THIS }
    receiver.records.append(.values([value]))
    return CTRACE_DTRACE_CONSUME_NEXT
  }

  static let onError: ctrace_dtrace_on_error = { error, context in
    guard let error = error?.pointee, let receiver = receiver(context) else {
      return CTRACE_DTRACE_HANDLE_OK
    }
    let words = error.message.map { String(cString: $0) } ?? "fault \(error.fault)"
    receiver.complete.append(
      (TraceProbe(error.probe), [.lost(TraceLoss(.failure(words), count: 1))]))
    return CTRACE_DTRACE_HANDLE_OK
  }

  static let onDrop: ctrace_dtrace_on_drop = { drop, context in
    guard let drop = drop?.pointee, let receiver = receiver(context) else {
      return CTRACE_DTRACE_HANDLE_OK
    }
    let reason: TraceLoss.Reason =
      switch drop.kind {
      case CTRACE_DTRACE_DROP_PRINCIPAL: .buffer
      case CTRACE_DTRACE_DROP_AGGREGATION: .fullAggregation
      default: .failure(drop.message.map { String(cString: $0) } ?? "drop \(drop.kind.rawValue)")
      }
    receiver.complete.append(
      (
        TraceProbe(provider: "dtrace"),
        [.lost(TraceLoss(reason, count: Int64(clamping: drop.drops)))]
      ))
    return CTRACE_DTRACE_HANDLE_OK
  }
}

/// Collects the aggregations of a snapshot.
private final class DWalk {
  private(set) var aggregations: [DAggregation] = []
  private let symbol: (DField, [UInt8]) -> String?

  init(symbol: @escaping (DField, [UInt8]) -> String?) { self.symbol = symbol }

  static let onAggregate: ctrace_dtrace_on_aggregate = { data, context in
    guard let data = data?.pointee, let context, let description = data.description?.pointee,
      let value = description.data_records?[1],
      let function = DAggregation.Function(rawValue: value.action)
    else { return CTRACE_DTRACE_AGGWALK_NEXT }
    let walk = Unmanaged<DWalk>.fromOpaque(context).takeUnretainedValue()
    let words = UnsafeRawBufferPointer(
      start: data.data + Int(value.offset), count: Int(value.size))
    let name = String(cString: description.name)
    walk.aggregations.append(
      DAggregation(
        id: TraceAggregationID(
          number: Int(description.variable), name: name == "_" ? "@" : "@\(name)"),
        key: (1..<Int(max(description.key_record_count, 1))).map { index in
          let field = DField(description.key_records[index])
          let bytes = Array(
            UnsafeRawBufferPointer(start: data.key + field.offset, count: field.bytes))
          if let part = field.keyPart(bytes) { return part }
          return .text(walk.symbol(field, bytes) ?? bytes.map { "\($0)" }.joined(separator: " "))
        },
        function: function,
        generation: UnsafeRawPointer(data.data).loadUnaligned(as: UInt64.self),
        words: stride(from: 0, to: words.count - 7, by: 8).map {
          words.loadUnaligned(fromByteOffset: $0, as: Int64.self)
        },
        signature: description.signature,
        normal: max(1, Int64(clamping: description.normal))))
    return CTRACE_DTRACE_AGGWALK_NEXT
  }
}

extension LibDTrace {
  fileprivate func words(_ handle: OpaquePointer?, _ number: Int32) -> String {
    message(handle, number).map { String(cString: $0) } ?? "error \(number)"
  }
}

extension DField {
  fileprivate init(_ record: ctrace_dtrace_record) {
    self.init(
      action: record.action, bytes: Int(record.size), offset: Int(record.offset),
      alignment: Int(record.alignment), argument: record.argument)
  }
}

extension TraceProbe {
  fileprivate init(_ probe: UnsafePointer<ctrace_dtrace_probe>?) {
    func text(_ pointer: UnsafePointer<CChar>?) -> String {
      pointer.map { String(cString: $0) } ?? ""
    }
    let probe = probe?.pointee
    self.init(
      provider: probe.map { text($0.provider) } ?? "dtrace", module: text(probe?.module),
      function: text(probe?.function), name: text(probe?.name))
  }
}
