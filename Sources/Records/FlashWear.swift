/// How much of its life an eMMC has used up, by its own estimate: JEDEC JESD84-B51, EXT_CSD bytes
/// 267 to 269.
///
/// Body in format version 1, 71 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 32 | device |
/// | 34 | text, 32 | the card's name |
/// | 68, 69 | u8 | used life of memory of type A and B in tenths, rounded up; 11: more than all of it; 255: not told |
/// | 70 | u8 | reserved blocks: 1 normal, 2 warning, 3 urgent |
public struct FlashWear: RecordBody {
  public static let kind = RecordKind.flashWear

  /// EXT_CSD byte 267, PRE_EOL_INFO.
  public enum EndOfLife: UInt8, FieldName {
    case unknown = 0
    case normal = 1
    /// 80 percent of the reserved blocks are used.
    case warning = 2
    /// 90 percent of the reserved blocks are used.
    case urgent = 3

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .normal: "normal"
      case .warning: "warning"
      case .urgent: "urgent"
      }
    }
  }

  public var device = FixedText<32>()
  public var cardName = FixedText<32>()
  public var lifeUsedATenths: UInt8?
  public var lifeUsedBTenths: UInt8?
  public var endOfLife = EndOfLife.unknown

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("device", .none, .identity, "Name of the block device"), &device)
    visitor.text(Field("card_name", .none, .identity, "Product name of the card"), &cardName)
    visitor.optional(
      Field(
        "life_used_a_ratio", .ratio, .gauge, decimals: 1,
        "Used life of its type A memory, rounded up to tenths; 1.1 is more than all of it"),
      &lifeUsedATenths)
    visitor.optional(
      Field(
        "life_used_b_ratio", .ratio, .gauge, decimals: 1,
        "Used life of its type B memory, rounded up to tenths; 1.1 is more than all of it"),
      &lifeUsedBTenths)
    visitor.name(
      Field(
        "pre_eol", .none, .gauge,
        "Use of the reserved blocks: normal, warning from 80 percent, urgent from 90 percent"),
      &endOfLife)
  }

  public static var topic: StaticString { "flash_wear/{device}" }
}
