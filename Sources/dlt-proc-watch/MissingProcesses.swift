import Records

/// The names that dlt-system said are not running; of more than 64 the oldest is forgotten.
struct MissingProcesses {
  private var names: [(ecu: UInt32, name: FixedText<64>)] = []

  /// False if it was there already.
  mutating func insert(_ ecu: UInt32, _ name: FixedText<64>) -> Bool {
    if index(ecu, name) != nil { return false }
    if names.count == 64 { names.remove(at: 0) }
    names.append((ecu, name))
    return true
  }

  mutating func remove(_ ecu: UInt32, _ name: FixedText<64>) {
    if let index = index(ecu, name) { names.remove(at: index) }
  }

  private func index(_ ecu: UInt32, _ name: FixedText<64>) -> Int? {
    for index in names.indices where names[index].ecu == ecu && names[index].name == name {
      return index
    }
    return nil
  }
}
