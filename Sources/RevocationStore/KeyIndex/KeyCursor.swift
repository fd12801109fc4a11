/// Walks through a run's entries.
struct KeyCursor {
  private let run: KeyRun
  private var nextBlock = 0
  private var entries: [IndexEntry] = []
  private var position = 0

  init(_ run: KeyRun) {
    self.run = run
  }

  mutating func peek(_ blocks: BlockStatement) throws -> IndexEntry? {
    while position == entries.count {
      guard nextBlock < run.fences.count else { return nil }
      do throws(BlockError) {
        let id = BlockID.of(run: run.id, number: nextBlock)
        entries = try blocks.read(id) { bytes, checksum throws(BlockError) in
          try KeyBlock.entries(bytes, id: id, checksum: checksum)
        }
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
