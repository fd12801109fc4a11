internal import RevocationStore

/// What a lane has read and not begun. Fresh events and retries take turns, so that neither a day of failures nor a flood of events keeps the
/// other waiting.
struct LaneWork {
  struct Item {
    let event: StoredEvent
    let failedBefore: Int
    /// Whether the store has a row for it: a retry.
    let hasRow: Bool
  }

  // Reversed, so that the next is the last.
  private var fresh: [StoredEvent] = []
  private var due: [DueDelivery] = []
  private var dueIsNext = false

  var isEmpty: Bool { fresh.isEmpty && due.isEmpty }
  var freshCount: Int { fresh.count }
  var dueCount: Int { due.count }

  mutating func add(fresh events: [StoredEvent]) { fresh.insert(contentsOf: events.reversed(), at: 0) }
  mutating func add(due deliveries: [DueDelivery]) { due.insert(contentsOf: deliveries.reversed(), at: 0) }

  mutating func next() -> Item? {
    dueIsNext.toggle()
    if due.isEmpty || (!dueIsNext && !fresh.isEmpty) {
      return fresh.popLast().map { Item(event: $0, failedBefore: 0, hasRow: false) }
    }
    return due.popLast().map { Item(event: $0.event, failedBefore: $0.attempts, hasRow: true) }
  }

  mutating func clear() { self = LaneWork() }
}
