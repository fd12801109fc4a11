internal import Foundation
internal import RevocationStore
package import Storage

#if PostgreSQL
  internal import PostgreSQLStore
#endif

/// Where one of the two stores of a copy is: the folder of an embedded one, or a server.
package enum StoreAddress: Sendable, CustomStringConvertible {
  case folder(String)
  case server(StoreURL)

  package init(_ text: String) {
    self = StoreURL(text).map { .server($0) } ?? .folder(text)
  }

  package var description: String {
    switch self {
    case .folder(let path): path
    case .server(let url): url.description
    }
  }

  /// Takes the whole content of this store to where there is none yet. No server may run on either.
  /// Returns the counts of what was copied.
  package func copy(to target: StoreAddress) throws(StoreError) -> Tally {
    var tally = Tally(lastEvent: 0, lastRevocation: 0, events: 0, revocations: 0, undecodable: 0, lastReceivedAt: nil)
    // Before anything is made at the target: with an empty store a server would start.
    let source = try open()
    try target.load { (take) throws(StoreError) in
      tally = try source.export(take)
      return tally
    }
    try source.close()
    return tally
  }

  private func open() throws(StoreError) -> any Store & StoreCopying {
    switch self {
    // With the folder's lock, so that no server runs.
    case .folder(let path): return try RevocationStore(data: path, mode: .repair)
    case .server(let url):
      #if PostgreSQL
        return try PostgreSQLStore(url: url.text, mode: .inspect)
      #else
        throw ReceiverConfiguration.cannotReach(url)
      #endif
    }
  }

  private func load(_ rows: (_ take: CopiedRows.Taking) throws(StoreError) -> Tally) throws(StoreError) {
    switch self {
    case .folder(let path): try Self.load(into: path, rows)
    case .server(let url):
      #if PostgreSQL
        _ = try PostgreSQLStore.migrate(url: url.text)
        let store = try PostgreSQLStore(url: url.text, mode: .amend)
        try store.load(rows)
        try store.close()
      #else
        throw ReceiverConfiguration.cannotReach(url)
      #endif
    }
  }

  /// Beside the folder, which gets its name at the end: half a copy would let sessions through.
  private static func load(
    into path: String, _ rows: (_ take: CopiedRows.Taking) throws(StoreError) -> Tally
  ) throws(StoreError) {
    let folder = URL(filePath: path).path
    let files = FileManager.default
    // What is no folder cannot be listed.
    if files.fileExists(atPath: folder), (try? files.contentsOfDirectory(atPath: folder)) != [] {
      throw .exists(path: folder)
    }
    let unfinished = folder + ".copy"
    try? files.removeItem(atPath: unfinished)
    try RevocationStore(data: unfinished, mode: .serve).close()
    let store = try RevocationStore(data: unfinished, mode: .repair)
    try store.load(rows)
    try store.close()
    // An empty folder makes room.
    _ = unsafe rmdir(folder)
    do {
      try files.moveItem(atPath: unfinished, toPath: folder)
    } catch {
      throw .folder(path: folder, cause: error.localizedDescription)
    }
  }
}
