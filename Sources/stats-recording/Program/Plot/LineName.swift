/// Where the values of a line come from.
struct LineName: Hashable, Sendable {
  let device: String
  let program: String
  let place: String
  let field: String
  /// Of a process its name: the place has its id alone.
  let process: String

  init(_ topic: RecordTopic, field: String, process: String = "") {
    device = topic.device
    program = topic.program
    place = topic.place
    self.field = field
    self.process = process
  }

  /// All of it, as a pattern of fields would name it.
  var full: String {
    let place = place.isEmpty ? "" : "/\(place)"
    return "\(device)/\(program)\(place)\(process.isEmpty ? "" : "(\(process))")/\(field)".printable
  }

  /// Names that tell these lines apart and say no more than that.
  static func short(_ names: [LineName]) -> [String] {
    func differ(_ part: (LineName) -> String) -> Bool { Set(names.map(part)).count > 1 }
    let manyDevices = differ(\.device)
    let manyPrograms = differ(\.program)
    let manyPlaces = differ(\.place)
    return names.map { name in
      var parts: [String] = []
      if manyDevices { parts.append(name.device) }
      // Two programs may send a field of the same name.
      if manyPrograms && isAmbiguous(name, names) { parts.append(name.program) }
      if !name.process.isEmpty {
        parts.append("\(name.process) (\(name.place.split(separator: "/").last ?? ""))")
      } else if manyPlaces, !name.place.isEmpty {
        parts.append(name.place)
      }
      parts.append(name.field)
      return parts.joined(separator: " ").printable
    }
  }

  private static func isAmbiguous(_ name: LineName, _ names: [LineName]) -> Bool {
    names.contains {
      $0.field == name.field && $0.device == name.device && $0.place == name.place
        && $0.program != name.program
    }
  }
}
