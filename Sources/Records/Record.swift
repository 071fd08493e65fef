/// The programs that make records. The name is that of the executable, the queue and the topic.
public enum Program: UInt8, CaseIterable, Sendable {
  case cyclicSysinfo = 1
  case inotifyCoredump = 4

  public var name: StaticString {
    switch self {
    case .cyclicSysinfo: "cyclic-sysinfo"
    case .inotifyCoredump: "inotify-coredump"
    }
  }

}

/// What a record is about. A number is never used again; a changed meaning is a new kind.
public enum RecordKind: UInt16, CaseIterable, Sendable {
  case systemInformation = 1
  case sourceState = 2
  case coreDump = 56

  public var name: StaticString {
    switch self {
    case .systemInformation: "system_information"
    case .sourceState: "source_state"
    case .coreDump: "core_dump"
    }
  }

  /// The only program that may send it, or nil: the bridge refuses it from another one's queue.
  public var program: Program? {
    switch self {
    case .systemInformation: .cyclicSysinfo
    case .sourceState: nil
    case .coreDump: .inotifyCoredump
    }
  }
}

/// A record: the header and one of the bodies.
public struct Record: Sendable {
  public var header: RecordHeader
  public var body: Body

  public enum Body: Sendable {
    case systemInformation(SystemInformation)
    case sourceState(SourceState)
    case coreDump(CoreDump)
  }

  public init(header: RecordHeader, body: Body) {
    self.header = header
    self.body = body
  }

  /// Reads the record that is the whole of the first `count` bytes. Errors: see ``RecordError``.
  public init(decoding bytes: [UInt8], count: Int) throws(RecordError) {
    header = try RecordHeader(decoding: bytes.span.extracting(first: count))
    guard let kind = RecordKind(rawValue: header.kind) else { throw .unknownKind(header.kind) }
    var decoder = FieldDecoder(bytes, header)
    switch kind {
    case .systemInformation: body = .systemInformation(try decoder.body())
    case .sourceState: body = .sourceState(try decoder.body())
    case .coreDump: body = .coreDump(try decoder.body())
    }
  }

  public var kind: RecordKind {
    switch body {
    case .systemInformation: .systemInformation
    case .sourceState: .sourceState
    case .coreDump: .coreDump
    }
  }

  /// Shows every field of the body to a visitor.
  public func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    switch body {
    case .systemInformation(var body): body.visit(&visitor)
    case .sourceState(var body): body.visit(&visitor)
    case .coreDump(var body): body.visit(&visitor)
    }
  }

  /// Adds the topic's levels behind the program's name.
  public func appendTopic(to topic: inout TopicLevels) {
    switch body {
    case .systemInformation(let body): body.appendTopic(to: &topic)
    case .sourceState(let body): body.appendTopic(to: &topic)
    case .coreDump(let body): body.appendTopic(to: &topic)
    }
  }

  /// See ``RecordBody/isEvent``.
  public var isEvent: Bool {
    switch body {
    case .systemInformation(let body): body.isEvent
    case .sourceState(let body): body.isEvent
    case .coreDump(let body): body.isEvent
    }
  }
}
