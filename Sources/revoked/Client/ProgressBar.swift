internal import Foundation

/// A line on the terminal that is written over and over; nothing where stderr is no terminal.
struct ProgressLine {
  let isVisible = isatty(STDERR_FILENO) == 1

  func show(_ text: String) {
    if isVisible { Notice.write("\r\u{1b}[K\(text)") }
  }

  func clear() {
    if isVisible { Notice.write("\r\u{1b}[K") }
  }
}

/// Such a line for work whose amount is known.
struct ProgressBar {
  private let total: Int
  private let label: String
  private let line = ProgressLine()
  private var shown = -1

  init(total: Int, label: String = "") {
    self.total = max(1, total)
    self.label = label
  }

  mutating func show(_ done: Int) {
    let percent = done * 100 / total
    guard percent != shown else { return }
    shown = percent
    let filled = percent * 40 / 100
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 40 - filled)
    line.show("\(bar) \(percent) % \(done)/\(total) \(label)")
  }

  func clear() { line.clear() }
}
