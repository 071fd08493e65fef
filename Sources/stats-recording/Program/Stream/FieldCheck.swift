import ArgumentParser

extension FieldCatalog {
  /// Errors: a pattern that nothing can match, with the names that are near.
  static func check(_ pattern: String) throws(ValidationError) {
    let near = suggestions(for: FieldPattern(pattern))
    if !near.isEmpty {
      throw ValidationError(
        "no field is called \(pattern); near are \(near.joined(separator: ", "))")
    }
  }
}
