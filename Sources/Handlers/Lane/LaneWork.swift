internal import Storage

/// What a lane has read and not begun. Fresh events and retries take turns, so that neither a day of failures nor a
/// flood of events keeps the other waiting.
struct LaneWork {
  struct Item {
    let event: StoredEvent
    let failedBefore: Int
    /// Whether the store has a row for it: a retry.
    let hasRow: Bool
    /// Whether it was a dead letter that was put back.
    var wasDead = false
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
    return due.popLast().map { Item(event: $0.event, failedBefore: $0.attempts, hasRow: true, wasDead: $0.wasDead) }
  }

  mutating func clear() { self = LaneWork() }
}

/// The fresh events between what is recorded and what has been read: how far the position may move. Pure.
///
/// A position can say only "everything up to here". So it stays before the first event that has not ended, and what
/// ends behind that one is offered again if the process is killed.
struct LaneWindow {
  private struct Entry {
    let event: Int64
    var isOver: Bool
  }

  /// In order of arrival; the first one is not over.
  private var entries: [Entry] = []
  /// Everything up to here has been read.
  private(set) var end: Int64

  init(position: Int64) {
    end = position
  }

  /// What may be recorded.
  var position: Int64 { entries.first.map { $0.event - 1 } ?? end }

  /// How many a killed process would repeat: what is over, behind what is not.
  private(set) var repeatable = 0

  /// More events were read, in order.
  mutating func append(_ events: some Sequence<Int64>, end: Int64) {
    entries += events.map { Entry(event: $0, isOver: false) }
    self.end = end
  }

  /// The event has ended, or a row of its own remembers it. Not one of the window: no effect.
  mutating func finish(_ event: Int64) {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].event < event { low = middle + 1 } else { high = middle }
    }
    guard low < entries.count, entries[low].event == event, !entries[low].isOver else { return }
    entries[low].isOver = true
    repeatable += 1
    guard low == 0 else { return }
    let over = entries.prefix { $0.isOver }.count
    entries.removeFirst(over)
    repeatable -= over
  }
}
