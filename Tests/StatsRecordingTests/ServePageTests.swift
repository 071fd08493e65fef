import Foundation
import Testing

@testable import DeviceRig

/// The page in a real browser, with what real programs tell.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "chromedriver"), .needs(command: "cc"), .needsRoot,
  .serialized)
struct ServePageTests {
  /// A process's name that would be an element if it were taken for HTML.
  static let hostileName = "<img src=q:z>"
  /// Those that every Linux machine fills.
  static let charts = [
    "load", "cpu", "memory", "network", "networkLosses", "diskBytes", "diskBusy", "fileSystems",
    "pressure",
    "processCPU", "processMemory",
  ]
  static let hostileDevice = "<img src=q onerror=alert(1)>"

  /// Where the pictures go: those of README, if the environment names a folder.
  private func picture(_ name: String, _ rig: Rig) -> URL {
    let folder = ProcessInfo.processInfo.environment["STATS_SCREENS"].map { URL(filePath: $0) }
    return (folder ?? rig.folder).appending(path: "serve-\(name).png")
  }

  @Test func allStatesOfThePageInARealBrowser() throws {
    let device = try ServedDevice()
    let rig = device.rig
    let namespace = try PidNamespace(rig)
    try device.collect("cyclic-sysinfo", "--interval", "200ms")
    try device.collect(
      "cyclic-file-read", "--interval", "500ms", "--file-systems-interval", "1s",
      "--processes-interval", "1s", "--process-count", "1000")
    try device.collect("epoll-psi", "--trigger", "cpu:some:20ms/2s", "--interval", "500ms")
    let dumps = try CoreDumpFolder(rig.folder.appending(path: "dumps").path())
    try device.collect(
      "inotify-coredump", "--folder", dumps.path, "--no-journal", "--state-file",
      rig.folder.appending(path: "dumps.state").path())
    let accounting = try namespace.program(
      "inotify-pacct",
      [
        "--verbose", "--own", "--own-folder", rig.folder.appending(path: "own").path(),
        "--only-failed",
      ])
    defer { accounting.kill() }
    try eventually("all programs run") {
      let programs = try device.summary()?["programs"] as? [[String: Any]] ?? []
      return programs.count { $0["state"] as? String == "running" } == 5
    }

    try eventually("processes are accounted") {
      accounting.log.contains { $0.contains("reading ") }
    }

    // A process that fails, whose name looks like HTML; one that lives; a crash; a busy CPU.
    let shell = rig.folder.appending(path: Self.hostileName).path(percentEncoded: false)
    try FileManager.default.copyItem(atPath: "/usr/bin/dash", toPath: shell)
    #expect(try namespace.run(shell, "-c", "exit 3") == 3)
    let hostile = try ChildProcess(
      [shell, "-c", "while :; do :; done"], name: "hostile", in: rig.folder)
    let busy = try (0..<2).map { _ in
      try ChildProcess(["/bin/sh", "-c", "while :; do :; done"], name: "busy", in: rig.folder)
    }
    defer { for process in busy + [hostile] { process.kill() } }
    dumps.store("collector", pid: 4711)
    try device.publish(
      "stats/\(Self.hostileDevice)/status",
      #"{"v":1,"state":"offline","reason":"connection lost"}"#,
      "-r")

    let browser = try Browser(in: rig.folder)
    try browser.prefer(["prefers-color-scheme": "light"])
    try browser.open(device.url + "#\(rig.name)")
    try eventually("the device is shown", within: 30) {
      try browser.text("return document.getElementById('name').textContent") == rig.name
    }
    // A chart is drawn when somebody gets there.
    for chart in Self.charts {
      try browser.script("document.querySelector('[data-chart=\(chart)]').scrollIntoView()")
      try eventually("\(chart) has points", within: 30) {
        try browser.integer(
          "return +document.querySelector('[data-chart=\(chart)]').dataset.points") > 5
      }
    }
    try browser.script("scrollTo(0, 0)")
    try browser.script("document.getElementById('event-details').open = true")
    for event in [
      "collector (4711) crashed: SIGABRT", "\(Self.hostileName) (", "ended with status 3",
      "tasks wait for cpu",
    ] {
      try eventually("the events tell: \(event)", within: 20) {
        try browser.text("return document.getElementById('event-list').textContent").contains(event)
      }
    }
    for lane in ["Crashes", "Pressure", "Failed processes", "State"] {
      #expect(
        try browser.integer(
          "return [...document.querySelectorAll('.row')].find(r => r.innerText.startsWith('\(lane)'))"
            + ".querySelectorAll('.mark').length") > 0, "\(lane)")
    }
    // A name stays a name.
    try eventually("the hostile process is in the table", within: 20) {
      try browser.isTrue(
        "return [...document.querySelectorAll('#processes td:first-child')]"
          + ".some(c => c.textContent === '\(Self.hostileName)')")
    }
    #expect(try browser.integer("return document.querySelectorAll('img').length") == 1)
    #expect(
      try browser.isTrue(
        "return [...document.querySelectorAll('#devices .id')]"
          + ".some(i => i.textContent === '\(Self.hostileDevice)')"))

    try browser.script("document.getElementById('event-details').open = false")
    try browser.press("1")
    try eventually("a minute is drawn", within: 90) {
      // The pictures are of a full minute; the test needs only some of it.
      try browser.integer("return +document.querySelector('[data-chart=load]').dataset.points")
        > (ProcessInfo.processInfo.environment["STATS_SCREENS"] == nil ? 5 : 280)
    }
    try browser.screenshot(picture("light", rig))
    try browser.prefer(["prefers-color-scheme": "dark"])
    try eventually("it is dark") {
      try browser.text("return getComputedStyle(document.body.parentElement).backgroundColor")
        == "rgb(18, 21, 26)"
    }
    try browser.screenshot(picture("dark", rig))
    try browser.script("document.querySelector('[data-chart=network]').scrollIntoView()")
    try browser.screenshot(picture("charts", rig))
    try browser.script("document.getElementById('processes-section').scrollIntoView()")
    try browser.screenshot(picture("tables", rig))
    try browser.script("scrollTo(0, 0)")

    // Keys.
    try browser.press("?")
    #expect(try browser.isTrue("return document.getElementById('help').open"))
    try browser.screenshot(picture("help", rig))
    try browser.press(Browser.escape)
    #expect(try !browser.isTrue("return document.getElementById('help').open"))
    try browser.press("e")
    try browser.press(Browser.rightArrow)
    #expect(try !browser.text("return document.getElementById('event').textContent").isEmpty)
    try browser.press("p")
    #expect(
      try browser.text("return document.getElementById('pause').textContent") == "Go on")
    try browser.press("p")
    try browser.press("3")
    #expect(
      try browser.text("return document.querySelector('#ranges [aria-pressed=true]').textContent")
        == "30 min")
    try browser.press("1")
    #expect(try focusIsVisibleAlongTheTabs(browser) > 10)

    // A phone.
    try browser.prefer(["prefers-color-scheme": "light"])
    try browser.resize(width: 375, height: 812, isPhone: true)
    try browser.open(device.url)
    try browser.script("document.querySelector('[data-chart=cpu]').scrollIntoView()")
    try eventually("it is drawn for the phone", within: 20) {
      try browser.integer("return +document.querySelector('[data-chart=cpu]').dataset.points") > 5
    }
    try browser.script("document.querySelector('[data-chart=cpu]').scrollIntoView()")
    try browser.screenshot(picture("phone-charts", rig))
    try browser.script("scrollTo(0, 0)")
    #expect(try browser.integer("return document.documentElement.scrollWidth") <= 375)
    try browser.screenshot(picture("phone", rig))

    // A device that is gone.
    try browser.resize(width: 1440, height: 1000)
    device.bridge.kill()
    try eventually("it is lost", within: 20) {
      try browser.text("return document.getElementById('state').textContent").hasPrefix("lost")
    }
    try browser.screenshot(picture("lost", rig))

    try browser.readLogs()
    #expect(browser.console.isEmpty, "\(browser.console.prefix(3))")
    #expect(browser.requests.count > 10)
    let elsewhere = browser.requests.filter {
      // The browser's own empty page came first, and has its pictures in itself.
      !$0.hasPrefix(device.url) && !$0.hasPrefix("chrome://") && !$0.hasPrefix("data:")
    }
    #expect(elsewhere.isEmpty, "\(elsewhere)")
    try device.stop()
  }

  /// Who asks for less motion sees the page jump, and nothing fade.
  @Test func motionIsReducedWhereThatIsAskedFor() throws {
    let device = try ServedDevice()
    try device.collect("cyclic-sysinfo", "--interval", "100ms")
    let browser = try Browser(in: device.rig.folder)
    for (preference, behavior, fades) in [
      ("reduce", "auto", false), ("no-preference", "smooth", true),
    ] {
      try browser.prefer(["prefers-reduced-motion": preference])
      try browser.open(device.url + "#\(device.rig.name)")
      try eventually("the device is shown", within: 30) {
        try browser.text("return document.getElementById('name').textContent") == device.rig.name
      }
      // What the browser is asked for; it scrolls all the same.
      try browser.script(
        """
        const scroll = Element.prototype.scrollIntoView;
        window.asked = [];
        Element.prototype.scrollIntoView = function (options) {
          window.asked.push(options.behavior);
          scroll.call(this, options);
        };
        """)
      try browser.press("l")
      #expect(try browser.text("return [...new Set(window.asked)].join()") == behavior)
      let durations = try browser.text(
        """
        return [...new Set([...document.querySelectorAll('*')].flatMap((one) => {
          const style = getComputedStyle(one);
          return [...style.transitionDuration.split(', '), ...style.animationDuration.split(', ')];
        }))].filter((one) => parseFloat(one) > 0).join();
        """)
      #expect(durations == (fades ? "0.15s" : ""))
    }
    try device.stop()
  }

  /// Goes on with the tab key; how many elements had the focus, each with an outline.
  private func focusIsVisibleAlongTheTabs(_ browser: Browser) throws -> Int {
    try browser.script("document.activeElement.blur(); scrollTo(0, 0)")
    var seen: Set<String> = []
    for _ in 0..<16 {
      try browser.press(Browser.tab)
      let words = try browser.text(
        """
        const e = document.activeElement;
        const s = getComputedStyle(e);
        return s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2
          ? '' : `${e.tagName} ${e.id} ${e.textContent}`;
        """)
      #expect(!words.isEmpty, "an element without a visible focus")
      seen.insert(words)
    }
    return seen.count
  }
}
