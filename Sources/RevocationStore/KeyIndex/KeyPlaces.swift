/// Where to look for a key's row: whether it is there only the table says. Complete for every snapshot that has no number beyond `covered`.
struct KeyPlaces {
  let hash: UInt64
  let recent: Int64?
  let runs: [KeyRun]
  let covered: Int64

  func numbers(_ blocks: BlockStatement) throws(BlockError) -> [Int64] {
    var numbers: [Int64] = []
    if let recent { numbers.append(recent) }
    // The newest first: a row that moved is under its newest number.
    for run in runs.reversed() { try run.find(hash, blocks, &numbers) }
    return numbers
  }
}
