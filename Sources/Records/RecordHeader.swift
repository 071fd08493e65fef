/// What stands before the body of every record: who took it, when, and what was lost before it.
///
/// Little-endian, 56 bytes in format version 1:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32 | magic, "SREC" in memory order |
/// | 4 | u16 | format version |
/// | 6 | u16 | header length; the body begins here |
/// | 8 | u16 | kind, see ``RecordKind`` |
/// | 10 | u16 | body length |
/// | 12 | u32 | flags: bit 0, the clock was synchronized |
/// | 16 | u64 | instance: CLOCK_BOOTTIME in milliseconds when the producer started |
/// | 24 | u64 | sequence number within the instance, from 0 |
/// | 32 | u64 | records of this instance that found the queue full and were dropped, so far |
/// | 40 | u64 | CLOCK_BOOTTIME in nanoseconds when the record was taken |
/// | 48 | i64 | CLOCK_REALTIME in nanoseconds when the record was taken |
///
/// A later version only appends, to the header as to a body: a reader steps over what it does not
/// know. A dropped record has its sequence number too, so every gap can be named.
public struct RecordHeader: Equatable, Sendable {
  public static let magic: UInt32 = 0x4345_5253
  public static let formatVersion: UInt16 = 1
  public static let encodedSize = 56
  /// No record is longer than this, header included; the queues are made for it.
  public static let maximumRecordSize = 1024

  public var kind: UInt16
  public var bodyLength: UInt16
  public var clockSynchronized: Bool
  public var instance: UInt64
  public var sequence: UInt64
  public var dropped: UInt64
  public var bootTimeNanoseconds: UInt64
  public var realTimeNanoseconds: Int64
  /// The version it was written in; what this code writes is ``RecordHeader/formatVersion``.
  public private(set) var version = Self.formatVersion
  /// Where the body begins.
  public private(set) var headerLength = UInt16(Self.encodedSize)

  /// How long the record is.
  var recordLength: Int { Int(headerLength) + Int(bodyLength) }

  public init(
    kind: UInt16 = 0, bodyLength: UInt16 = 0, clockSynchronized: Bool = false, instance: UInt64,
    sequence: UInt64 = 0, dropped: UInt64 = 0, bootTimeNanoseconds: UInt64 = 0,
    realTimeNanoseconds: Int64 = 0
  ) {
    self.kind = kind
    self.bodyLength = bodyLength
    self.clockSynchronized = clockSynchronized
    self.instance = instance
    self.sequence = sequence
    self.dropped = dropped
    self.bootTimeNanoseconds = bootTimeNanoseconds
    self.realTimeNanoseconds = realTimeNanoseconds
  }

  /// Reads the header of the record that is the whole of `bytes`.
  ///
  /// The lengths must add up to the message: a record that was cut, or has something behind it, is
  /// not one. Errors: see ``RecordError``.
  public init(decoding bytes: Span<UInt8>) throws(RecordError) {
    guard bytes.count <= Self.maximumRecordSize else { throw .tooLong(bytes.count) }
    guard bytes.count >= Self.encodedSize else {
      throw .truncated(needed: Self.encodedSize, found: bytes.count)
    }
    guard bytes.littleEndian(at: 0, as: UInt32.self) == Self.magic else { throw .notARecord }
    version = bytes.littleEndian(at: 4, as: UInt16.self)
    headerLength = bytes.littleEndian(at: 6, as: UInt16.self)
    guard version >= 1, Int(headerLength) >= Self.encodedSize else { throw .notARecord }
    kind = bytes.littleEndian(at: 8, as: UInt16.self)
    bodyLength = bytes.littleEndian(at: 10, as: UInt16.self)
    let length = Int(headerLength) + Int(bodyLength)
    guard bytes.count >= length else { throw .truncated(needed: length, found: bytes.count) }
    guard bytes.count == length else { throw .trailingBytes(expected: length, found: bytes.count) }
    clockSynchronized = bytes.littleEndian(at: 12, as: UInt32.self) & 1 != 0
    instance = bytes.littleEndian(at: 16, as: UInt64.self)
    sequence = bytes.littleEndian(at: 24, as: UInt64.self)
    dropped = bytes.littleEndian(at: 32, as: UInt64.self)
    bootTimeNanoseconds = bytes.littleEndian(at: 40, as: UInt64.self)
    realTimeNanoseconds = bytes.littleEndian(at: 48, as: Int64.self)
  }
}

/// Why bytes are not a record that can be read.
public enum RecordError: Error, Equatable {
  /// No magic, or a version or header length that was never written.
  case notARecord
  /// Longer than ``RecordHeader/maximumRecordSize``.
  case tooLong(Int)
  case truncated(needed: Int, found: Int)
  case trailingBytes(expected: Int, found: Int)
  /// A kind that this version does not know; a newer producer is not an error of the queue's.
  case unknownKind(UInt16)
  /// A kind that another program sends.
  case foreignKind(UInt16)
}
