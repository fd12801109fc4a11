/// Walks through a run's entries.
struct KeyCursor {
  private let run: KeyRun
  private var nextBlock = 0
  private var entries: [KeyEntry] = []
  private var position = 0

  init(_ run: KeyRun) {
    self.run = run
  }

  mutating func peek(_ blocks: BlockStatement) throws -> KeyEntry? {
    while position == entries.count {
      guard nextBlock < run.fences.count else { return nil }
      do throws(BlockError) {
        entries = try blocks.read(KeyBlock.id(run: run.id, number: nextBlock), KeyBlock.entries)
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
