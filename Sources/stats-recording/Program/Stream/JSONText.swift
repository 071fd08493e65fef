extension JSONValue {
  /// The value as JSON, without white space; numbers with the digits that they came with.
  var jsonText: String {
    var bytes: [UInt8] = []
    bytes.append(json: self)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension JSONMember {
  init(_ name: String, _ value: JSONValue) { self.init(name: name, value: value) }
  init(_ name: String, _ text: String) { self.init(name: name, value: .text(text)) }
}
