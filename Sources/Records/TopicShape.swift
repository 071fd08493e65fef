#if !hasFeature(Embedded)  // Only readers ask for it.

  extension RecordKind {
    /// The levels of its topics behind the program's name, with `<field>` where a value of the record
    /// stands: `/disk/<device>`. Two of them where an empty text makes the topic another one.
    public var topicShapes: [[UInt8]] {
      var full = TopicShaping(fillsTexts: true)
      var empty = TopicShaping(fillsTexts: false)
      let (filled, bare) = (withBody(&full), withBody(&empty))
      return levelCount(filled) == levelCount(bare) ? [filled] : [bare, filled]
    }

    private func levelCount(_ topic: [UInt8]) -> Int {
      var count = 0
      for byte in topic where byte == UInt8(ascii: "/") { count += 1 }
      return count
    }
  }

  /// Fills a body with values that tell which field they are, and looks where they come up in the topic.
  private struct TopicShaping: FieldVisitor, BodyUse {
    let fillsTexts: Bool
    private var texts: [StaticString] = []
    private var numbers: [StaticString] = []
    private var words: [(word: StaticString, name: StaticString)] = []

    init(fillsTexts: Bool) { self.fillsTexts = fillsTexts }

    /// No process has such an id.
    private static let firstNumber: UInt64 = 4_000_000_000

    mutating func use<Body: RecordBody>(_ type: Body.Type) -> [UInt8] {
      var body = Body()
      body.visit(&self)
      var levels = TopicLevels()
      body.appendTopic(to: &levels)
      var shape: [UInt8] = []
      var level: [UInt8] = []
      for byte in levels.bytes + [UInt8(ascii: "/")] {
        if byte == UInt8(ascii: "/") {
          shape += value(of: level)
          level = []
        }
        level.append(byte)
      }
      return shape
    }

    /// A level, slash and all, with the field instead of what it was filled with.
    private func value(of level: [UInt8]) -> [UInt8] {
      let text = Array(level.dropFirst())
      for index in texts.indices where text == sentinel(ofText: index) {
        return [UInt8(ascii: "/")] + placeholder(texts[index])
      }
      for index in numbers.indices where text == digits(Self.firstNumber + UInt64(index)) {
        return [UInt8(ascii: "/")] + placeholder(numbers[index])
      }
      for (word, name) in words where text == bytes(word) {
        return [UInt8(ascii: "/")] + placeholder(name)
      }
      return level
    }

    private func bytes(_ text: StaticString) -> [UInt8] { text.withUTF8Buffer { Array($0) } }

    private func placeholder(_ name: StaticString) -> [UInt8] {
      [UInt8(ascii: "<")] + bytes(name) + [UInt8(ascii: ">")]
    }

    /// Short enough for every field.
    private func sentinel(ofText index: Int) -> [UInt8] {
      [UInt8(ascii: "=")] + digits(UInt64(index))
    }

    private func digits(_ number: UInt64) -> [UInt8] {
      var (rest, reversed) = (number, [UInt8]())
      repeat {
        reversed.append(UInt8(ascii: "0") + UInt8(rest % 10))
        rest /= 10
      } while rest > 0
      return reversed.reversed()
    }

    mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
      guard T.bitWidth >= 32 else { return }
      value = T(truncatingIfNeeded: Self.firstNumber + UInt64(numbers.count))
      numbers.append(field.name)
    }
    mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {}
    mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {}
    mutating func boolean(_ field: Field, _ value: inout Bool) {}
    mutating func name<T: FieldName>(_ field: Field, _ value: inout T) {
      value = T(rawValue: 1) ?? .unknown
      words.append((value.name, field.name))
    }
    mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
      if fillsTexts { value = FixedText(sentinel(ofText: texts.count).span) }
      texts.append(field.name)
    }
  }

#endif
