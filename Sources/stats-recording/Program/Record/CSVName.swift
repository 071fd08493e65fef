import Foundation

/// What the files of a folder are called: `<device>/<program>.<kind>.csv` while rows are added, and
/// `<device>/<program>.<kind>.20261125T214500-123456Z.csv`, by its first arrival, from then on.
///
/// Names come from topics and so from anybody: what is neither letter nor digit nor `-` or `_` stands as
/// `%` and two hexadecimal digits, and a long name is cut and has its checksum. So nothing leaves
/// the folder, and no two names become the same.
enum CSVName {
  static func folder(_ device: String) -> String { encoded(device) }

  static func stem(_ source: RecordedSource) -> String {
    source.isStatus
      ? RecordedSource.status : "\(encoded(source.topic.program)).\(encoded(source.kind))"
  }

  static func file(_ stem: String) -> String { "\(stem).csv" }

  static func rotated(_ stem: String, first received: Int64) -> String {
    var seconds = time_t(received / 1_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let day = [(Int(parts.tm_year) + 1900, 4), (Int(parts.tm_mon) + 1, 2), (Int(parts.tm_mday), 2)]
    let time = [(Int(parts.tm_hour), 2), (Int(parts.tm_min), 2), (Int(parts.tm_sec), 2)]
    let stamp = day.map(padded).joined() + "T" + time.map(padded).joined()
    return "\(stem).\(stamp)-\(padded(Int(received % 1_000_000), 6))Z.csv"
  }

  /// The stem of a file to which rows are added; nil for others.
  static func activeStem(_ file: String) -> String? {
    file.hasSuffix(".csv") && !isRotated(file) ? stem(ofFile: file) : nil
  }

  /// What files have in common of which one goes on where the other ends.
  static func stem(ofFile file: String) -> String {
    String(
      file.prefix(upTo: file.firstRange(of: rotation)?.lowerBound ?? file.dropLast(4).endIndex))
  }

  static func isRotated(_ file: String) -> Bool { file.contains(rotation) }

  private static var rotation: Regex<Substring> { /\.\d{8,}T\d{6}-\d{6}Z\.csv$/ }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  private static func encoded(_ name: String) -> String {
    var text = ""
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        text.append(Character(Unicode.Scalar(byte)))
      default:
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    guard text.utf8.count > 80 else { return text }
    // FNV-1a of 64 bits.
    let sum = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return "\(text.prefix(60))%-\(String(sum, radix: 16))"
  }
}
