/// That the row with this number may have a key with this hash.
struct KeyEntry: Hashable, Sendable {
  let hash: UInt64
  let seq: Int64
}
