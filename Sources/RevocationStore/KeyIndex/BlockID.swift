/// The blocks of all runs are rows of one table.
enum BlockID {
  /// So many can be told apart in a run: 75 million revocations, or 265 million events.
  static let most = 1 << 20

  /// A run's blocks are numbered one after another.
  static func of(run: Int64, number: Int) -> Int64 { run << 20 | Int64(number) }
}
