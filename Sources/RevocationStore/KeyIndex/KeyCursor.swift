/// Walks through a run's entries.
struct KeyCursor<Entry: IndexEntry> {
  private let run: KeyRun<Entry>
  private var nextBlock = 0
  private var entries: [Entry] = []
  private var position = 0

  init(_ run: KeyRun<Entry>) {
    self.run = run
  }

  mutating func peek(_ blocks: BlockStatement) throws -> Entry? {
    while position == entries.count {
      guard nextBlock < run.fences.count else { return nil }
      do throws(BlockError) {
        entries = try blocks.read(BlockID.of(run: run.id, number: nextBlock), KeyBlock<Entry>.entries)
      } catch {
        throw error.databaseError
      }
      nextBlock += 1
      position = 0
    }
    return entries[position]
  }

  mutating func advance() { position += 1 }
}
