/// How well a Wi-Fi interface hears its access point: /proc/net/wireless.
///
/// Counters since the interface came.
///
/// Body in format version 1, 62 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 16 | interface |
/// | 18 | u32 | status |
/// | 22 | i32? | link_quality |
/// | 26 | i32? | signal_dbm |
/// | 30 | i32? | signal_level |
/// | 34 | i32? | noise_dbm |
/// | 38 | u32 | discarded_network_id |
/// | 42 | u32 | discarded_encryption |
/// | 46 | u32 | discarded_fragment |
/// | 50 | u32 | discarded_retries |
/// | 54 | u32 | discarded_other |
/// | 58 | u32 | missed_beacons |
public struct Wireless: RecordBody {
  public static let kind = RecordKind.wireless

  public var interface = FixedText<16>()
  public var status: UInt32 = 0
  public var linkQualityTenths: Int32?
  public var signalTenths: Int32?
  public var levelTenths: Int32?
  public var noiseTenths: Int32?
  public var discardedNetworkId: UInt32 = 0
  public var discardedEncryption: UInt32 = 0
  public var discardedFragment: UInt32 = 0
  public var discardedRetries: UInt32 = 0
  public var discardedOther: UInt32 = 0
  public var missedBeacons: UInt32 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("interface", .none, .identity, "Its name"), &interface)
    visitor.unsigned(
      Field("status", .none, .gauge, "The status that the driver gives, 0 for most"), &status)
    visitor.optional(
      Field(
        "link_quality", .none, .gauge, decimals: 1,
        "The quality of the link; 70 is the best for most drivers"),
      &linkQualityTenths)
    visitor.optional(
      Field("signal_dbm", .decibelMilliwatts, .gauge, decimals: 1, "The strength of the signal"),
      &signalTenths)
    visitor.optional(
      Field(
        "signal_level", .none, .gauge, decimals: 1,
        "The same of a driver that gives it without a unit"),
      &levelTenths)
    visitor.optional(
      Field("noise_dbm", .decibelMilliwatts, .gauge, decimals: 1, "The strength of the noise"),
      &noiseTenths)
    visitor.unsigned(
      Field("discarded_network_id", .count, .counter, "Packets of another network"),
      &discardedNetworkId)
    visitor.unsigned(
      Field("discarded_encryption", .count, .counter, "Packets that could not be decrypted"),
      &discardedEncryption)
    visitor.unsigned(
      Field("discarded_fragment", .count, .counter, "Packets that could not be put together"),
      &discardedFragment)
    visitor.unsigned(
      Field("discarded_retries", .count, .counter, "Packets that were sent too often in vain"),
      &discardedRetries)
    visitor.unsigned(
      Field("discarded_other", .count, .counter, "Packets lost for other reasons"), &discardedOther)
    visitor.unsigned(
      Field("missed_beacons", .count, .counter, "Beacons of the access point not heard"),
      &missedBeacons)
  }

  public static var topic: StaticString { "wireless/{interface}" }
}
