import Foundation
import Hummingbird

/// The files that the page is made of: our own, which are in the program, and dygraphs of Debian.
struct PageFiles: Sendable {
  struct File: Sendable {
    let type: String
    let bytes: ByteBuffer
  }

  let files: [String: File]

  /// What is read of `--javascript`.
  static let dygraphs = ["dygraph.min.js": "text/javascript", "dygraph.min.css": "text/css"]

  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  init(javaScriptFolder: String) throws(Missing) {
    var files = [
      "": File("text/html; charset=utf-8", PackageResources.index_html),
      "page.css": File("text/css; charset=utf-8", PackageResources.page_css),
      "icon.svg": File("image/svg+xml", PackageResources.icon_svg),
    ]
    for (name, bytes) in [
      "main.js": PackageResources.main_js, "charts.js": PackageResources.charts_js,
      "line.js": PackageResources.line_js, "past.js": PackageResources.past_js,
      "lane.js": PackageResources.lane_js, "tables.js": PackageResources.tables_js,
      "words.js": PackageResources.words_js, "stream.js": PackageResources.stream_js,
    ] {
      files[name] = File("text/javascript; charset=utf-8", bytes)
    }
    for (name, type) in Self.dygraphs {
      let path = "\(javaScriptFolder)/\(name)"
      guard let content = FileManager.default.contents(atPath: path) else {
        throw Missing(
          description: "\(path) cannot be read: apt install libjs-dygraphs, or --javascript DIR")
      }
      files[name] = File("\(type); charset=utf-8", Array(content))
    }
    self.files = files
  }
}

extension PageFiles.File {
  init(_ type: String, _ bytes: [UInt8]) {
    self.init(type: type, bytes: ByteBuffer(bytes: bytes))
  }
}
