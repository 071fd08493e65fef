import Linux
import Records

extension RecordError {
  /// The error in words, for a log line.
  public var description: Text {
    switch self {
    case .notARecord: "does not begin with a record header"
    case .tooLong(let found):
      "is \(found) bytes long, more than the \(RecordHeader.maximumRecordSize) of a record"
    case .truncated(let needed, let found): "is \(found) bytes long where \(needed) are needed"
    case .trailingBytes(let expected, let found): "is \(found) bytes long where \(expected) belong"
    case .unknownKind(let kind): "is of kind \(kind), which this version does not know"
    case .foreignKind(let kind): "is of kind \(kind), which another program sends"
    }
  }
}
