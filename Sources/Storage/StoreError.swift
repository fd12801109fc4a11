/// Why the store cannot be opened, read or written: one line that names the file and the cause. Exit code 74.
package enum StoreError: Error, Equatable, Sendable {
  /// The folder or its lock file cannot be made or opened.
  case folder(path: String, cause: String)
  /// Another process serves this folder; its id when the lock file tells.
  case locked(path: String, pid: Int32?)
  /// Nothing to look at: no server ever ran on this folder.
  case missing(path: String)
  /// There is no store, and none is to be made without being asked for.
  case newStoreRefused(path: String)
  /// A file that is not ours: another program's database, or none at all.
  case foreign(path: String, cause: String)
  /// A store of a build before the first release, which no program migrates.
  case earlierBuild(path: String)
  /// A schema this program does not know (a newer program's), or has not migrated yet (only `serve` does).
  case schema(path: String, found: Int, known: Int)
  /// SQLite found a page that makes no sense.
  case corrupt(path: String, cause: String)
  /// The database is missing or empty, and its log is there. SQLite would delete the log, and what was acknowledged
  /// with it.
  case logAlone(path: String)
  /// The database has no log of its own, as a backup has none, and there is a log beside it: another store's, which
  /// would ruin it.
  case strangeLog(path: String)
  /// The file that is open is no longer the one at its path: what is written to it dies with the process.
  case replaced(path: String)
  /// No space left.
  case full(path: String)
  /// Another process kept the write lock beyond the busy timeout.
  case busy(path: String)
  /// A file stands where a copy should go.
  case exists(path: String)
  /// Opened with `.inspect`, which never writes.
  case readOnly(path: String)
  /// The server is building the index anew from the rows; until then it cannot say who is revoked, nor what is new.
  case rebuildingIndex(path: String, percent: Int)
  /// A command has found the index damaged; only the server builds it anew.
  case index(path: String, cause: String)
  /// Commits came between so often that a look-up was given up.
  case overtaken(path: String)
  /// The database does not answer, or the connection to it was lost.
  case unreachable(path: String, cause: String)
  /// The database, or the way to it, is set up so that the promise cannot be kept, or keeps us out.
  case misconfigured(path: String, cause: String)
  /// This node cannot prove at the moment that it asks the server that all others write to.
  case leaseEnded(path: String)
  /// Another node leads the handler. Nothing was recorded.
  case leaseLost(handler: Int64)
  /// Any other failure of the engine or of the file system below it.
  case io(path: String, cause: String)
}

extension StoreError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .folder(let path, let cause): "cannot use the data folder \(path): \(cause)"
    case .locked(let path, let pid?): "\(path) is in use by another server (process \(pid))"
    case .locked(let path, nil): "\(path) is in use by another server"
    case .missing(let path): "there is no store at \(path)"
    case .newStoreRefused(let path):
      "there is no store at \(path), and new-store is refuse, since a new one knows of no revoked session: "
        + "restore a backup, make one with `revoked init`, or set new-store to make"
    case .foreign(let path, let cause): "\(path) is not a store of revoked: \(cause)"
    case .earlierBuild(let path):
      "\(path) was written by a build of revoked before its first release, which this one cannot read: move it "
        + "away and begin with an empty folder"
    case .schema(let path, 0, _): "\(path) has nothing in it yet: start `revoked serve` on it once"
    case .schema(let path, let found, let known) where found > known:
      "\(path) was written by a newer revoked (schema \(found), this one knows \(known)): start that one, or "
        + "put a backup of before in an empty folder"
    case .schema(let path, let found, let known):
      "\(path) has the older schema \(found), this program needs \(known): `revoked serve` migrates it for "
        + "good, so back it up first, with the version that wrote it"
    case .corrupt(let path, let cause): "\(path) is damaged: \(cause)"
    case .logAlone(let path):
      "\(path) is missing or empty, but its log \(path)-wal holds events: put the two back together, or restore "
        + "a backup into an empty folder"
    case .strangeLog(let path):
      "\(path) is a backup, but \(path)-wal beside it is another store's log and would ruin it: restore a "
        + "backup into an empty folder"
    case .replaced(let path):
      "\(path) or its log was removed or replaced while it was open; put it back, or restore a backup into an "
        + "empty folder, then restart the server"
    case .full(let path): "no space left to write \(path)"
    case .busy(let path): "\(path) is locked by another process"
    case .exists(let path): "\(path) is there already"
    case .readOnly(let path): "\(path) was opened for reading only"
    case .rebuildingIndex(let path, let percent):
      "the index of \(path) is being built anew from its rows: \(percent) % done"
    case .index(let path, let cause):
      "the index of \(path) cannot be used: \(cause); the server builds it anew, or `revoked store verify --rebuild`"
    case .overtaken(let path): "\(path) changed too often for a look-up"
    case .unreachable(let path, let cause): "cannot reach \(path): \(cause)"
    case .misconfigured(let path, let cause): "cannot work with \(path): \(cause)"
    case .leaseEnded(let path): "it is not certain that \(path) is still the database that other nodes write to"
    case .leaseLost(let handler): "another node leads handler \(handler)"
    case .io(let path, let cause): "cannot read or write \(path): \(cause)"
    }
  }
}
