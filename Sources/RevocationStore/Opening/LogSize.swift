internal import Glibc
internal import SQLite
package import Storage
internal import Synchronization

/// How long the write-ahead log becomes.
enum LogSize {
  /// In pages of 4,096 bytes. Ingest stands still while the log is folded into the database, so that is rare: with
  /// 10,000 pages fewer than one event in a hundred waits for it at full rate (p99 8 ms; with 3,000 pages 14 to 20).
  static let foldedAt = 10_000
  /// Bytes: 43 MB. The last transaction before that may be a large one.
  static let usual = (foldedAt + 500) * Connection.logFrame
  /// By so many bytes the log's file is made longer ahead of what is written, until it has its usual size. The commit
  /// that does it takes some 2 ms. With 2 MB it took 11, which showed in the slowest hundredth of all answers.
  static let step = 1 << 18
  /// A log has so many bytes only while a process keeps an old snapshot, so that it cannot be folded: two and a half
  /// times the usual.
  static let tooLarge = usual / 2 * 5
}

extension RevocationStore {
  /// Asks the file system alone. A file that cannot be asked counts as empty.
  package var sizes: StoreSizes? {
    StoreSizes(database: Self.size(path), log: Self.size(path + "-wal"), free: Self.freeBytes(at: path))
  }

  private static func size(_ path: String) -> Int {
    var information = stat()
    // The string and the structure live for the call.
    return unsafe stat(path, &information) == 0 ? Int(information.st_size) : 0
  }

  static func freeBytes(at path: String) -> Int {
    var information = statvfs()
    // The string and the structure live for the call.
    guard unsafe statvfs(path, &information) == 0 else { return 0 }
    return Int(clamping: information.f_bavail.multipliedReportingOverflow(by: information.f_frsize).partialValue)
  }

  /// To be called within a transaction that is about to be committed.
  func extendLog(_ db: Connection) {
    guard mode == .serve, db.logNeedsRoom, db.logPages < foldsLogAt else { return }
    // Where space is short, events need it more. What fails now is tried again by the next commit.
    if Self.freeBytes(at: path) > LogSize.usual { try? db.extendLog(by: LogSize.step) }
  }

  /// To be called behind a commit, on the writer's queue.
  func foldLog(_ db: Connection) {
    // What fails now is tried again by the next commit.
    guard db.logPages >= foldsLogAt, let (pages, copied) = try? db.checkpoint(.passive) else { return }
    // All is copied once no reader has an older state; the next commit then begins at the file's start.
    let size = pages * 4096
    if copied < pages, size > LogSize.tooLarge {
      if logIsTooLarge.exchange(true, ordering: .relaxed) == false { notify(.logCannotBeFolded(bytes: size)) }
    } else if logIsTooLarge.exchange(false, ordering: .relaxed) {
      notify(.logIsFolded)
    }
  }
}
