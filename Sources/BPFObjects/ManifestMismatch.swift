/// That a manifest is of another object: bytes would be read as what they are not.
public struct ManifestMismatch: Error, Equatable, Sendable {
  public enum Difference: Equatable, Sendable {
    case missing
    case keyBytes(found: Int, wanted: Int)
    case valueBytes(found: Int, wanted: Int)
    case noRingBuffer
  }

  public let map: [UInt8]
  public let difference: Difference
}

extension BPFObject {
  /// Whether the object has the maps of a manifest, and they are as it says.
  public func check(_ manifest: Manifest) throws(ManifestMismatch) {
    for aggregate in manifest.aggregates {
      guard let map = map(named: aggregate.map) else {
        throw ManifestMismatch(map: aggregate.map, difference: .missing)
      }
      // An array without a field for its index has one element.
      let isSingle = aggregate.key.fields.isEmpty && map.keyBytes == 4
      guard isSingle || map.keyBytes == aggregate.key.bytes else {
        let difference = ManifestMismatch.Difference.keyBytes(
          found: map.keyBytes, wanted: aggregate.key.bytes)
        throw ManifestMismatch(map: aggregate.map, difference: difference)
      }
      guard map.valueBytes == aggregate.valueBytes else {
        let difference = ManifestMismatch.Difference.valueBytes(
          found: map.valueBytes, wanted: aggregate.valueBytes)
        throw ManifestMismatch(map: aggregate.map, difference: difference)
      }
    }
    for record in manifest.records {
      guard map(named: record.map)?.isRingBuffer == true else {
        throw ManifestMismatch(map: record.map, difference: .noRingBuffer)
      }
    }
    if let lost = manifest.lost, map(named: lost) == nil {
      throw ManifestMismatch(map: lost, difference: .missing)
    }
  }
}
