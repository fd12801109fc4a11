import Foundation

/// What the commands of a handler wrote of themselves: for each attempt a line at its beginning and one at its end,
/// with the life of the server that made it. A server's death does not end its commands, so the lines of one life may
/// stand between those of the next.
struct AttemptLog {
  struct Attempt: Hashable {
    let life: Int
    /// The exit status; nil: it has not ended.
    var status: Int?
  }

  /// By event, in the order of their lives, and of their beginnings in each.
  private(set) var attempts: [String: [Attempt]] = [:]
  /// What must not be: an attempt that began while another one of the event was under way, or after one that was the
  /// last.
  private(set) var faults: [String] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count >= 3, let life = Int(words[0]) else {
        faults.append("not a line: \(line)")
        continue
      }
      if words[1] == "begin" {
        begin(words[2], in: life)
      } else {
        end(words[2], in: life, words.last.flatMap { Int($0) })
      }
    }
    for (event, unordered) in attempts {
      // A stable order of its own: `sorted` promises none.
      attempts[event] = Set(unordered.map(\.life)).sorted().flatMap { life in unordered.filter { $0.life == life } }
    }
  }

  var events: Set<String> { Set(attempts.keys) }

  /// Whether every attempt has ended, but for those of one life.
  func isComplete(butFor life: Int) -> Bool {
    attempts.values.allSatisfy { $0.allSatisfy { $0.status != nil || $0.life == life } }
  }

  /// How the last attempt of an event ended.
  func last(_ event: String) -> Int? { attempts[event]?.last?.status }

  private mutating func begin(_ event: String, in life: Int) {
    let before = attempts[event, default: []].last { $0.life == life }
    if let before, before.status != HandlerKillTests.retried {
      faults.append("\(event) in life \(life) was begun after \(before.status.map(String.init) ?? "one that runs")")
    }
    attempts[event, default: []].append(Attempt(life: life))
  }

  private mutating func end(_ event: String, in life: Int, _ status: Int?) {
    guard let index = attempts[event]?.lastIndex(where: { $0.life == life && $0.status == nil }) else {
      faults.append("\(event) in life \(life) ended without a beginning")
      return
    }
    attempts[event]?[index].status = status
  }
}
