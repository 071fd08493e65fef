/// A field of dots, two wide and four high in each cell of the terminal, as the braille patterns of
/// Unicode have them.
struct Canvas: Equatable, Sendable {
  let width: Int
  let height: Int
  private var patterns: [UInt8]
  private(set) var colors: [UInt8]

  /// In cells.
  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    patterns = Array(repeating: 0, count: width * height)
    colors = Array(repeating: 0, count: width * height)
  }

  var dotWidth: Int { width * 2 }
  var dotHeight: Int { height * 4 }

  /// Unicode, 10.3: dots 1 to 3 and 7 are the left column from the top, 4 to 6 and 8 the right one.
  private static let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

  /// Sets the dot `x` from the left and `y` from the bottom; the cell takes the color of its last dot.
  mutating func set(_ x: Int, _ y: Int, color: UInt8) {
    guard x >= 0, x < dotWidth, y >= 0, y < dotHeight else { return }
    let fromTop = dotHeight - 1 - y
    let cell = fromTop / 4 * width + x / 2
    patterns[cell] |= Self.bits[x % 2][fromTop % 4]
    colors[cell] = color
  }

  /// A line from dot to dot, Bresenham's.
  mutating func line(from: (x: Int, y: Int), to: (x: Int, y: Int), color: UInt8) {
    let (width, height) = (abs(to.x - from.x), -abs(to.y - from.y))
    let (right, up) = (from.x < to.x ? 1 : -1, from.y < to.y ? 1 : -1)
    var (x, y) = from
    var error = width + height
    while true {
      set(x, y, color: color)
      if x == to.x && y == to.y { return }
      let doubled = 2 * error
      if doubled >= height {
        error += height
        x += right
      }
      if doubled <= width {
        error += width
        y += up
      }
    }
  }

  /// The character of a cell; nil where there is no dot.
  func character(_ column: Int, _ row: Int, isUnicode: Bool) -> Unicode.Scalar? {
    let pattern = patterns[row * width + column]
    guard pattern != 0 else { return nil }
    if isUnicode { return Unicode.Scalar(0x2800 + UInt32(pattern)) }
    // Dots of the upper half, of the lower half.
    switch (pattern & 0x1B != 0, pattern & 0xE4 != 0) {
    case (true, true): return ":"
    case (true, false): return "'"
    default: return "."
    }
  }

  func color(_ column: Int, _ row: Int) -> UInt8 { colors[row * width + column] }
}

extension Canvas {
  /// Draws a series over a span of time; what lies beyond a fixed scale is drawn at its edge.
  ///
  /// Points in the same column of dots become one stroke, so that a picture costs what its width
  /// does and not a line for each point.
  mutating func draw(
    _ points: ArraySlice<Series.Point>, _ time: TimeAxis, _ scale: Scale, color: UInt8
  ) {
    var pen: (x: Int, y: Int)?
    var stroke: ClosedRange<Int>?
    func endStroke(_ canvas: inout Canvas) {
      if let pen, let stroke, stroke.lowerBound < stroke.upperBound {
        canvas.line(from: (pen.x, stroke.lowerBound), to: (pen.x, stroke.upperBound), color: color)
      }
      stroke = nil
    }
    for point in points {
      guard let value = point.value else {
        endStroke(&self)
        pen = nil
        continue
      }
      let x = Int((time.position(point.sample.time) * Double(dotWidth - 1)).rounded())
      let height = (scale.position(value) * Double(dotHeight - 1)).rounded()
      let y = Int(min(max(height, 0), Double(dotHeight - 1)))
      if let before = pen, !point.isBroken, before.x == x {
        let low = stroke?.lowerBound ?? before.y
        let high = stroke?.upperBound ?? before.y
        stroke = min(low, y)...max(high, y)
      } else {
        endStroke(&self)
        if let before = pen, !point.isBroken {
          line(from: before, to: (x, y), color: color)
        } else {
          set(x, y, color: color)
        }
      }
      pen = (x, y)
    }
    endStroke(&self)
  }
}
