import CLinux
import Daemon
import Linux
import Records

/// How worn the eMMCs are: /sys/block/mmcblk*/device/life_time. SD cards do not tell it.
struct FlashWearGroup: ~Copyable, Group {
  private final class Card {
    let device: FixedText<32>
    var name: ProcFile
    var lifeTime: ProcFile
    var preEndOfLife: ProcFile

    init(_ device: FixedText<32>, _ folder: Text) {
      self.device = device
      name = ProcFile("\(folder)/name")
      lifeTime = ProcFile("\(folder)/life_time")
      preEndOfLife = ProcFile("\(folder)/pre_eol_info")
    }
  }

  private var cards: [Card] = []
  private var (nameText, lifeTimeText, preEndOfLifeText): ([UInt8], [UInt8], [UInt8]) = ([], [], [])

  /// Errors: those of open(2); ENODEV if no card tells its wear.
  init(procfs: Text, sysfs: Text) throws(SystemError) {
    let folder = Text("\(sysfs)/block")
    var found: [Card] = []
    for path in try Directory.paths(in: folder) {
      let bytes = path.bytes
      let device = bytes[(folder.bytes.count + 1)...]
      guard FlashWear.isCard(device.span),
        exists("\(path)/device/life_time")
      else { continue }
      found.append(Card(FixedText(device.span), "\(path)/device"))
    }
    if found.isEmpty {
      throw SystemError("open", errno: ENODEV, "\(sysfs)/block/mmcblk*/device/life_time")
    }
    cards = found
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    for card in cards {
      guard let lifeTime = card.lifeTime.read(into: &lifeTimeText, log) else { continue }
      let name = card.name.read(into: &nameText, log) ?? 0
      let preEndOfLife = card.preEndOfLife.read(into: &preEndOfLifeText, log) ?? 0
      let wear: FlashWear
      do throws(ParseError) {
        wear = try FlashWear(
          device: card.device, cardName: nameText.span.extracting(first: name),
          lifeTime: lifeTimeText.span.extracting(first: lifeTime),
          preEndOfLife: preEndOfLifeText.span.extracting(first: preEndOfLife))
      } catch {
        card.lifeTime.refuse(error, log)
        continue
      }
      try sender.send(wear, log)
    }
  }
}
