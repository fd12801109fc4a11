internal import DynamicEvents

/// The cut-offs of one kind in memory: 20 bytes each, found by the id.
///
/// Open addressing with linear probing, split into parts that grow one at a time, so that growing never needs twice the
/// memory. Seconds are enough: `iat` has no more, and a fraction is dropped on both sides.
struct CutOffTable {
  private var parts: [Part]
  private(set) var count = 0

  /// - Parameter capacity: how many are to come at once, so that nothing grows meanwhile.
  init(capacity: Int = 0) {
    parts = (0..<Self.partCount).map { _ in Part(capacity: capacity / Self.partCount) }
  }

  /// Returns the second up to which JWTs are refused; `nil`: none is.
  func before(_ id: UUIDBytes) -> Int64? {
    let hash = Self.hash(id)
    return parts[Self.part(hash)].before(id, hash)
  }

  /// Cuts off at `before`, or later where a later cut-off is known.
  mutating func insert(_ id: UUIDBytes, before: Timestamp) {
    let hash = Self.hash(id)
    if parts[Self.part(hash)].insert(id, Self.second(before), hash) { count += 1 }
  }

  /// Forgets a cut-off, unless a later one has taken its place.
  mutating func remove(_ id: UUIDBytes, before: Timestamp) {
    let hash = Self.hash(id)
    if parts[Self.part(hash)].remove(id, Self.second(before), hash) { count -= 1 }
  }

  /// What its places take.
  var bytes: Int { parts.reduce(0) { $0 + $1.places * 20 } }

  /// No cut-off is from before 1970, and 0 means an empty place. 32 bits last until the year 2106.
  private static func second(_ time: Timestamp) -> UInt32 { UInt32(clamping: max(time.milliseconds / 1000, 1)) }

  private static let partCount = 64

  private static func part(_ hash: UInt64) -> Int { Int(hash >> 58) }

  /// Ids are random, but for the bits that tell a UUID's version.
  private static func hash(_ id: UUIDBytes) -> UInt64 {
    let mixed = (id.high ^ id.low &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
    return mixed ^ mixed >> 29
  }

  private struct Part {
    private var highs: [UInt64]
    private var lows: [UInt64]
    /// 0: the place is empty.
    private var seconds: [UInt32]
    private var count = 0

    var places: Int { seconds.count }

    init(capacity: Int) {
      // What is likely when ids are spread at random, at three quarters full.
      let places = max(16, (capacity + capacity / 32) * 4 / 3)
      highs = [UInt64](repeating: 0, count: places)
      lows = highs
      seconds = [UInt32](repeating: 0, count: places)
    }

    func before(_ id: UUIDBytes, _ hash: UInt64) -> Int64? {
      let place = find(id, hash)
      return seconds[place] == 0 ? nil : Int64(seconds[place])
    }

    /// Returns whether the id is new.
    mutating func insert(_ id: UUIDBytes, _ second: UInt32, _ hash: UInt64) -> Bool {
      let place = find(id, hash)
      guard seconds[place] == 0 else {
        seconds[place] = max(seconds[place], second)
        return false
      }
      guard (count + 1) * 5 <= seconds.count * 4 else {
        grow()
        return insert(id, second, hash)
      }
      (highs[place], lows[place], seconds[place]) = (id.high, id.low, second)
      count += 1
      return true
    }

    /// Returns whether it was there.
    mutating func remove(_ id: UUIDBytes, _ second: UInt32, _ hash: UInt64) -> Bool {
      var hole = find(id, hash)
      guard seconds[hole] != 0, seconds[hole] <= second else { return false }
      count -= 1
      // Moves back what is found by way of the hole, so that no search ends there too early.
      var place = hole
      while true {
        seconds[hole] = 0
        repeat {
          place = next(place)
          if seconds[place] == 0 { return true }
        } while !isBetween(home(at: place), hole, place)
        (highs[hole], lows[hole], seconds[hole]) = (highs[place], lows[place], seconds[place])
        hole = place
      }
    }

    /// Whether a search that begins at `home` passes `hole` on its way to `place`.
    private func isBetween(_ home: Int, _ hole: Int, _ place: Int) -> Bool {
      hole <= place ? home <= hole || home > place : home <= hole && home > place
    }

    private func home(at place: Int) -> Int {
      home(CutOffTable.hash(UUIDBytes(high: highs[place], low: lows[place])))
    }

    /// The hash's upper bits chose the part; the lower 32 choose the place.
    private func home(_ hash: UInt64) -> Int {
      Int(truncatingIfNeeded: ((hash & 0xFFFF_FFFF) &* UInt64(seconds.count)) >> 32)
    }

    private func next(_ place: Int) -> Int { place + 1 == seconds.count ? 0 : place + 1 }

    /// The id's place, or the empty one where it belongs. There always is an empty one.
    private func find(_ id: UUIDBytes, _ hash: UInt64) -> Int {
      var place = home(hash)
      while seconds[place] != 0, lows[place] != id.low || highs[place] != id.high { place = next(place) }
      return place
    }

    private mutating func grow() {
      var larger = Part(capacity: seconds.count)
      for place in seconds.indices where seconds[place] != 0 {
        let id = UUIDBytes(high: highs[place], low: lows[place])
        _ = larger.insert(id, seconds[place], CutOffTable.hash(id))
      }
      self = larger
    }
  }
}
