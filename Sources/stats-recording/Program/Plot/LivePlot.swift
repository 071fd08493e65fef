import Foundation

/// The plot in the terminal: one thread draws and listens to keys, while records come from another.
final class LivePlot: @unchecked Sendable {
  private let lock = NSLock()
  private var model: PlotModel
  private var view: PlotView
  private var failure: BrokerFailure?
  private var hasSubscribed = false
  private var isOver = false
  /// The latest time of a record, and when it came.
  private var newest: (time: Double, arrival: Double)?
  private let dataWindow: Double

  init(_ model: PlotModel, _ view: PlotView) {
    self.model = model
    self.view = view
    // To have something where the window is made wider.
    dataWindow = view.windowSeconds * 4
  }

  // MARK: What comes

  func take(_ records: [PublishedRecord]) {
    lock.withLock {
      for record in records {
        model.take(record)
        follow(record.time)
      }
    }
  }

  /// The picture follows the newest record, but not into a future that only a wrong clock tells of.
  private func follow(_ time: Double) {
    let latest = Date().timeIntervalSince1970 + 60
    if let newest, time <= newest.time || (time > latest && newest.time <= latest) {
      // One that follows a wrong clock comes back.
      if newest.time <= latest || time > latest { return }
    }
    newest = (time, MonotonicClock.seconds)
  }

  /// A message that is no record.
  func takeUnreadable(_ words: String) {
    lock.withLock {
      view.unreadableCount += 1
      view.unreadable = words
    }
  }

  func subscribed() {
    lock.withLock {
      hasSubscribed = true
      view.connectsTo = nil
      view.trouble = nil
    }
  }

  /// Ends the plot if there never was a connection.
  func lost(_ failure: BrokerFailure) {
    lock.withLock {
      if hasSubscribed {
        view.trouble = "\(failure); trying again"
      } else {
        self.failure = failure
        isOver = true
      }
    }
  }

  func end() { lock.withLock { isOver = true } }

  // MARK: What is shown

  /// Draws until `q`, a signal, or ``end()``. Returns the signal. Errors: there was no connection.
  func run(_ terminal: Terminal, _ kind: TerminalKind) throws(BrokerFailure) -> Int32? {
    var shown: Picture?
    var nextDrawing = 0.0
    while true {
      for event in terminal.events(within: nextDrawing - MonotonicClock.seconds) {
        switch event {
        case .resized: shown = nil
        case .signal(let number): return number
        case .gone: return nil
        case .key(let key):
          switch key {
          case UInt8(ascii: "q"), UInt8(ascii: "Q"): return nil
          // Ctrl-L, as everywhere.
          case 0x0C: shown = nil
          default: press(key)
          }
        }
        nextDrawing = 0
      }
      let (failure, isOver) = lock.withLock { (self.failure, self.isOver) }
      if let failure { throw failure }
      if isOver { return nil }
      guard MonotonicClock.seconds >= nextDrawing else { continue }
      let start = MonotonicClock.seconds
      let picture = draw(terminal.size, kind)
      let update = picture.update(from: shown, kind.color)
      if !update.isEmpty, !terminal.write(update) { return nil }
      shown = picture
      // Four times a second at most, and never more than a tenth of a processor.
      nextDrawing = MonotonicClock.seconds + max(0.25, (MonotonicClock.seconds - start) * 10)
    }
  }

  private func press(_ key: UInt8) {
    lock.withLock {
      switch key {
      case UInt8(ascii: " "):
        view.edge = edge
        view.isPaused.toggle()
      case UInt8(ascii: "+"), UInt8(ascii: "="): view.windowSeconds = max(1, view.windowSeconds / 2)
      case UInt8(ascii: "-"): view.windowSeconds = min(dataWindow, view.windowSeconds * 2)
      default: break
      }
    }
  }

  /// The newest time of a record, going on as time does: a replay of yesterday runs in its own time.
  private var edge: Double {
    guard let newest else { return Date().timeIntervalSince1970 }
    return newest.time + MonotonicClock.seconds - newest.arrival
  }

  private func draw(_ size: (width: Int, height: Int), _ kind: TerminalKind) -> Picture {
    lock.withLock {
      if !view.isPaused {
        view.edge = edge
        model.forget(before: view.edge - dataWindow)
      }
      return PlotScreen.draw(model, view, width: size.width, height: size.height, kind)
    }
  }
}
