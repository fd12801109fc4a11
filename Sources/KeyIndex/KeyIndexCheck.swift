package import SQLite

extension KeyIndex {
  /// Compares the index with its table, as of the transaction's moment, and returns what is wrong, a line each; at most
  /// `most`.
  ///
  /// It reads every block and every row, and asks for every key.
  /// - Parameter progress: called now and then with the number of rows that were looked at.
  package func findFaults(
    _ db: Connection, most: Int = 20, progress: (_ rows: Int) -> Void
  ) throws -> [String] {
    var faults: [String] = []
    let name = table.name
    let note = { (fault: String) in if faults.count < most { faults.append("index of \(name): \(fault)") } }
    let blocks = try BlockReader(db)
    for run in runs {
      do {
        try check(run, blocks, note)
        let first = BlockID.of(run: run.id, number: 0)
        let count = try db.first(
          "SELECT count(*) FROM key_block WHERE id BETWEEN ? AND ?", first, first + Int64(BlockID.most) - 1
        ) { row in try row.integer(0) }
        if count != Int64(run.fences.count) { note("run \(run.id) has blocks that do not belong to it") }
      } catch let error as KeyIndexError {
        note("run \(run.id): \(error.text)")
      }
    }
    var rows = 0
    try db.walk("SELECT seq, \(table.key) FROM \(table.name) ORDER BY seq") { row in
      let seq = try row.integer(0)
      if let key = row.lend(1, IndexKey.init) ?? nil {
        do {
          if try self.seq(of: key, db) != seq { note("row \(seq) is not found by its key") }
        } catch let error as KeyIndexError {
          note("row \(seq) is not found by its key: \(error.text)")
        }
      } else {
        note("row \(seq) has a key that is malformed")
      }
      rows += 1
      if rows.isMultiple(of: 4096) { progress(rows) }
      return true
    }
    progress(rows)
    return faults
  }

  /// That every block is as it was written, begins where the run says, and that the filter knows every entry.
  private func check(_ run: KeyRun, _ blocks: BlockReader, _ note: (String) -> Void) throws(KeyIndexError) {
    var previous: UInt64 = 0
    for (number, fence) in run.fences.enumerated() {
      let id = BlockID.of(run: run.id, number: number)
      let entries = try blocks.read(id) { bytes, checksum throws(KeyIndexError) in
        try KeyBlock.entries(bytes, id: id, checksum: checksum)
      }
      if entries.first?.hash != fence { note("run \(run.id): block \(number) does not begin where the run says") }
      for entry in entries {
        if entry.hash < previous { note("run \(run.id): block \(number) is out of order") }
        if !run.mayContain(entry.hash) { note("run \(run.id): its filter lacks an entry") }
        previous = entry.hash
      }
    }
  }
}
