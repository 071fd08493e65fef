/// How often values fell between two powers of two.
///
/// Bucket 0 counts the value 0, bucket n those from 2^(n-1) to 2^n - 1; the last one also what is larger.
/// On the wire 64 numbers of 64 bits. JSON has two arrays of equal length, without the empty buckets behind
/// the last one that counted: `"upper_bounds":[0,1,3],"counts":[5,0,2]`. Line protocol has an integer for
/// each of these buckets: `le_0=5i,le_1=0i,le_3=2i`.
public struct Buckets: Sendable {
  public static let count = 64
  static let bytesOnWire = 8 * count

  private var counts = InlineArray<64, UInt64>(repeating: 0)

  public init() {}

  public subscript(index: Int) -> UInt64 {
    get { counts[index] }
    set { counts[index] = newValue }
  }

  /// The largest value that a bucket counts.
  public static func upperBound(of bucket: Int) -> UInt64 { 1 << UInt64(bucket) - 1 }
}

extension Buckets: Equatable {
  public static func == (left: Buckets, right: Buckets) -> Bool {
    for index in 0..<count where left[index] != right[index] { return false }
    return true
  }
}

/// Apart from the functions that write other fields: only a program that has such fields is linked with these.
extension BytePlace {
  mutating func put(jsonBuckets field: FieldEntry, in body: Span<UInt8>) {
    let used = body.usedBuckets(of: field)
    put(",\"upper_bounds\":[")
    for bucket in 0..<used { put(arrayNumber: Buckets.upperBound(of: bucket)) }
    put(arrayEndBefore: ",\"")
    put(field.nameStart, Int(field.nameLength))
    put("\":[")
    for bucket in 0..<used { put(arrayNumber: body.count(of: field, bucket)) }
    put(arrayEndBefore: "")
  }

  private mutating func put(arrayNumber number: UInt64) {
    put(number)
    put(UInt8(ascii: ","))
  }

  /// In the place of the last comma, if there is a number.
  private mutating func put(arrayEndBefore next: StaticString) {
    if (self - 1).pointee == UInt8(ascii: ",") { self -= 1 }
    put(UInt8(ascii: "]"))
    put(next)
  }

  mutating func put(lineBuckets field: FieldEntry, in body: Span<UInt8>) {
    for bucket in 0..<body.usedBuckets(of: field) {
      put("le_")
      put(Buckets.upperBound(of: bucket))
      put(UInt8(ascii: "="))
      put(lineInteger: body.count(of: field, bucket))
      put(UInt8(ascii: ","))
    }
  }
}

extension Span<UInt8> {
  fileprivate func count(of field: FieldEntry, _ bucket: Int) -> UInt64 {
    number(at: Int(field.offset) + 8 * bucket, width: 8)
  }

  /// Up to the last one that counted something.
  fileprivate func usedBuckets(of field: FieldEntry) -> Int {
    var used = Buckets.count
    while used > 0 && count(of: field, used - 1) == 0 { used -= 1 }
    return used
  }
}
