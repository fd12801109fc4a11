import DynamicEvents
import TestSupport
import Testing

@testable import Storage

@Suite("The table of cut-offs in memory", .timeLimit(.minutes(5)))
struct CutOffTableTests {
  @Test func `finds what is in it after any order of insertions and removals, as a dictionary does`() {
    var random = SplitMix(seed: 17)
    for capacity in [0, 300, 3000] {
      var table = CutOffTable(capacity: capacity)
      var model: [UUIDBytes: Int64] = [:]
      // Few ids, so that they meet, and all in one part, so that its probes run long.
      let ids = (0..<800).map { _ in UUIDBytes(high: 7, low: random.next()) }
      for _ in 0..<20_000 {
        let id = ids[Int(random.next() % 800)]
        let second = Int64(random.next() % 5 + 1)
        if random.next() % 3 > 0 {
          table.insert(id, before: Timestamp(milliseconds: second * 1000 + 999))
          model[id] = max(model[id] ?? 0, second)
        } else {
          table.remove(id, before: Timestamp(milliseconds: second * 1000))
          if let known = model[id], known <= second { model[id] = nil }
        }
        #expect(table.before(id) == model[id])
        if table.count != model.count { Issue.record("\(table.count) instead of \(model.count)") }
      }
      #expect(ids.allSatisfy { table.before($0) == model[$0] })
    }
  }

  @Test func `a JWT is refused up to the cut-off's second, and while its time cannot be believed`() throws {
    let cutOffs = CutOffs()
    let (user, environment) = (UUIDBytes(high: 1, low: 2), UUIDBytes(high: 3, low: 4))
    let now = Timestamp(milliseconds: 2_000_000)
    func isRefused(_ issuedAt: Int64?, user: UUIDBytes? = nil, environment: UUIDBytes? = nil) throws -> Bool {
      let claims = TokenClaims(
        sid: try session(1), user: user, environment: environment,
        issuedAt: issuedAt.map(NumericDate.init(milliseconds:)))
      return cutOffs.refuses(claims, at: now)
    }
    #expect(try !isRefused(nil, user: user))
    cutOffs.insert([CutOff(.user, user, before: Timestamp(milliseconds: 1_000_500))])
    for (issuedAt, refused) in [
      (nil, true), (0, true), (999_000, true), (1_000_000, true), (1_000_999, true), (1_001_000, false),
      (2_060_000, false), (2_060_001, true), (Int64.max / 2, true), (-5, true),
    ] as [(Int64?, Bool)] {
      #expect(try isRefused(issuedAt, user: user) == refused, "\(String(describing: issuedAt))")
      #expect(try isRefused(issuedAt, user: user, environment: environment) == refused)
      #expect(try !isRefused(issuedAt, user: environment))
      #expect(try !isRefused(issuedAt, environment: user))
      #expect(try !isRefused(issuedAt))
    }
    // The later of the two counts.
    cutOffs.insert([CutOff(.environment, environment, before: Timestamp(milliseconds: 1_500_000))])
    #expect(try isRefused(1_400_000, user: user, environment: environment))
    #expect(try !isRefused(1_400_000, user: user))
    cutOffs.remove([CutOff(.environment, environment, before: Timestamp(milliseconds: 1_500_000))])
    #expect(try !isRefused(1_400_000, user: user, environment: environment))
    #expect(cutOffs.count == 1)
  }

  @Test func `a million are 27 MB and some, also while they come one by one`() {
    var random = SplitMix(seed: 3)
    var table = CutOffTable()
    for _ in 0..<1_000_000 {
      table.insert(UUIDBytes(high: random.next(), low: random.next()), before: Timestamp(milliseconds: 1000))
    }
    #expect(table.count == 1_000_000)
    #expect(table.bytes < 36_000_000, "\(table.bytes)")
    #expect(CutOffTable(capacity: 1_000_000).bytes < 29_000_000)
  }
}
