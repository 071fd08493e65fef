/// What is on a terminal's screen: rows of cells.
struct Picture: Equatable, Sendable {
  struct Cell: Equatable, Sendable {
    var character: Unicode.Scalar = " "
    var style = TextStyle.plain
    /// The cell before has a character that is two columns wide.
    var isCovered = false
  }

  let width: Int
  let height: Int
  private(set) var rows: [[Cell]]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    rows = Array(repeating: Array(repeating: Cell(), count: width), count: height)
  }

  /// Puts a text at a place, as far as it fits; returns the column behind it.
  @discardableResult
  mutating func put(
    _ text: String, row: Int, column: Int, style: TextStyle = .plain, limit: Int? = nil
  ) -> Int {
    guard rows.indices ~= row else { return column }
    let end = min(limit ?? width, width)
    var column = column
    for scalar in text.unicodeScalars {
      let columns = scalar.columns
      if columns == 0 { continue }
      guard column + columns <= end else { break }
      if column >= 0 {
        rows[row][column] = Cell(character: scalar, style: style)
        if columns == 2 { rows[row][column + 1] = Cell(style: style, isCovered: true) }
      }
      column += columns
    }
    return column
  }

  /// A row as text, without what follows its last character.
  func text(_ row: Int) -> String {
    var text = ""
    for cell in rows[row] where !cell.isCovered { text.unicodeScalars.append(cell.character) }
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }

  /// What changes a screen that shows `before` into this one.
  func update(from before: Picture?, _ color: TerminalKind.Color) -> String {
    var output = ""
    let isSameSize = before?.width == width && before?.height == height
    if !isSameSize { output += "\u{1B}[2J" }
    for row in 0..<height where !isSameSize || before?.rows[row] != rows[row] {
      output += "\u{1B}[\(row + 1);1H\u{1B}[2K" + sequence(row, color)
    }
    return output
  }

  private func sequence(_ row: Int, _ color: TerminalKind.Color) -> String {
    var output = ""
    var style = TextStyle.plain
    let last = rows[row].lastIndex { $0.character != " " } ?? -1
    for cell in rows[row].prefix(last + 1) where !cell.isCovered {
      if cell.style != style {
        if !style.sequence(color).isEmpty { output += "\u{1B}[0m" }
        output += cell.style.sequence(color)
        style = cell.style
      }
      output.unicodeScalars.append(cell.character)
    }
    if !style.sequence(color).isEmpty { output += "\u{1B}[0m" }
    return output
  }
}

/// How many columns a text takes.
func columns(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + $1.columns } }
