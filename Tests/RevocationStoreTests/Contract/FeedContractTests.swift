import DynamicEvents
import Storage
import Testing

@Suite(.timeLimit(.minutes(5))) struct FeedContractTests {
  private let places = StorePlaces()

  @Test(arguments: Engine.allCases)
  func `the feed has every revocation once, in the order of the commits, page by page`(_ engine: Engine) throws {
    let store = try places.place(engine).open()
    for number in UInt64(1)...7 { _ = try store.append([.revoking(number), .other(100 + number)]) }
    var (position, found): (Int64, [SessionID]) = (0, [])
    while true {
      let page = try store.feed(after: position, limit: 3, at: time(2000))
      found += page.entries.compactMap(\.session)
      position = page.end
      if page.isLast { break }
    }
    #expect(try found == (1...7).map { try session($0) })
    #expect(store.lastRevocation == position)
    #expect(store.knows(store.cursor(at: position)))
    #expect(store.knows(store.cursor(at: 0)))
    #expect(!store.knows(FeedCursor(epoch: store.cursor(at: position).epoch ^ 1, seq: position)))
    #expect(!store.knows(FeedCursor(epoch: store.cursor(at: position).epoch, seq: position + 1)))
  }

  @Test(arguments: Engine.allCases)
  func `a session that is remembered for longer moves behind all others, and nobody misses it`(
    _ engine: Engine
  ) throws {
    let store = try places.place(engine).open()
    let day: Int64 = 86_400_000
    let then = 20_000 * day
    _ = try store.append([
      .revoking(1, revokedAt: then, createdAt: then, receivedAt: then),
      .revoking(2, revokedAt: then, createdAt: then, receivedAt: then),
    ])
    let before = try store.feed(after: 0, limit: 10, at: time(then))
    _ = try store.append([
      .revoking(1, event: 5, revokedAt: then, createdAt: then + 9 * day, receivedAt: then + 9 * day)
    ])
    let page = try store.feed(after: before.end, limit: 10, at: time(then))
    #expect(try page.entries.map(\.session) == [session(1)])
    #expect(page.isLast && page.departures == before.departures + 1)
    let whole = try store.feed(after: 0, limit: 10, at: time(then))
    #expect(try whole.entries.map(\.session) == [session(2), session(1)])
  }

  @Test(arguments: Engine.allCases)
  func `a cut-off stands in the feed among the sessions`(_ engine: Engine) throws {
    let store = try places.place(engine).open()
    let environment = UUIDBytes(high: 1, low: 2)
    _ = try store.append([
      .revoking(1), OperatorOrder.cutOff(.environment, environment).event(at: time(3000)), .revoking(2),
    ])
    let entries = try store.feed(after: 0, limit: 10, at: time(3000)).entries
    #expect(entries.map(\.cursor.seq) == [1, 2, 3])
    #expect(entries[1].cutOff == CutOff(.environment, environment, before: time(3000)))
  }
}
