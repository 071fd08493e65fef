import Records

extension PageActivity {
  init(parsing content: Span<UInt8>) throws(ParseError) {
    self.init()
    if content.isEmpty { throw ParseError("has no line pgfault") }
  }
}
