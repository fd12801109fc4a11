/// The sizes of the store's files, in bytes.
package struct StoreSizes: Hashable, Sendable {
  package var database: Int
  /// The write-ahead log. It grows while another process reads an old state of the store.
  package var log: Int
  /// Left on the disk, for a process without privileges.
  package var free: Int

  package init(database: Int, log: Int, free: Int) {
    self.database = database
    self.log = log
    self.free = free
  }
}
