internal import Foundation

/// A line on the terminal that says how far the work is; nothing where stderr is no terminal.
struct ProgressBar {
  private let total: Int
  private let label: String
  private let isVisible = isatty(STDERR_FILENO) == 1
  private var shown = -1

  init(total: Int, label: String = "") {
    self.total = max(1, total)
    self.label = label
  }

  mutating func show(_ done: Int) {
    let percent = done * 100 / total
    guard isVisible, percent != shown else { return }
    shown = percent
    let filled = percent * 40 / 100
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 40 - filled)
    write("\r\u{1b}[K\(bar) \(percent) % \(done)/\(total) \(label)")
  }

  func clear() {
    if isVisible { write("\r\u{1b}[K") }
  }

  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
