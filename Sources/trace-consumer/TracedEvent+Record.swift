import BPFObjects
import Linux
import Records

extension TracedEvent {
  /// What a program left in a ring buffer; `bytes` are as long as the layout.
  ///
  /// Fields called nsecs (CLOCK_MONOTONIC), pid, cpu and comm tell of the circumstances, all others are
  /// written as text. `sinceBoot` is what CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC: the time asleep.
  init(
    _ program: Text, _ record: Manifest.Record, _ bytes: [UInt8], asleep sinceBoot: UInt64
  ) {
    self.init()
    self.program = FixedText(program)
    self.record = FixedText(record.map.span)
    isNotable = record.isNotable
    var others = Text()
    for field in record.layout.fields {
      let name = field.name.span
      switch field.value(in: bytes.span) {
      case .unsigned(let number) where name.equals("nsecs"):
        bootTimeNanoseconds = number &+ sinceBoot
      case .unsigned(let number) where name.equals("pid"):
        processID = UInt32(truncatingIfNeeded: number)
      case .unsigned(let number) where name.equals("cpu"):
        cpu = UInt32(truncatingIfNeeded: number)
      case .text(let range) where name.equals("comm"):
        command = FixedText(bytes.span.extracting(range))
      case .unsigned, .signed, .text: others.append(pair: field, bytes)
      }
    }
    fields = FixedText(others)
  }
}
