/// Which rows of the screen are for what. From top to bottom: a title, for each panel its plot and
/// its legend, the lane of marks, the times, the last events, and a line for keys and state.
struct PlotLayout: Equatable, Sendable {
  struct Panel: Equatable, Sendable {
    let plot: Range<Int>
    let legend: Range<Int>
  }

  let panels: [Panel]
  let laneRow: Int
  let timeRow: Int
  let events: Range<Int>
  let stateRow: Int

  static let leastPlotHeight = 3

  /// `legends` are the numbers of lines of each panel. Events go first where room is short, then
  /// legends. Errors: nil if there is no room for the plots.
  init?(height: Int, legends: [Int], eventCount: Int) {
    let panelCount = max(1, legends.count)
    let fixed = 4
    let room = height - fixed
    guard room >= panelCount * Self.leastPlotHeight else { return nil }
    let wanted = legends.map { $0 }
    var legendHeights = wanted
    // The plots get half of the room before all legends are shown.
    let plotRoom = max(panelCount * Self.leastPlotHeight, room / 2)
    while legendHeights.reduce(0, +) > room - plotRoom {
      guard let longest = legendHeights.indices.max(by: { legendHeights[$0] < legendHeights[$1] }),
        legendHeights[longest] > 0
      else { break }
      legendHeights[longest] -= 1
    }
    let afterLegends = room - legendHeights.reduce(0, +)
    let eventHeight = max(
      0, min(eventCount, 4, afterLegends - max(plotRoom, panelCount * 5)))
    let plots = afterLegends - eventHeight
    var row = 1
    var panels: [Panel] = []
    for index in 0..<panelCount {
      let height = plots / panelCount + (index < plots % panelCount ? 1 : 0)
      let legend = legendHeights.indices ~= index ? legendHeights[index] : 0
      panels.append(
        Panel(plot: row..<row + height, legend: row + height..<row + height + legend))
      row += height + legend
    }
    self.panels = panels
    laneRow = row
    timeRow = row + 1
    events = row + 2..<row + 2 + eventHeight
    stateRow = height - 1
  }
}
