import Foundation
import TestSupport
import Testing

/// A file system in memory of a few megabytes, mounted for one test.
final class TinyDisk: Sendable {
  let folder: TemporaryFolder

  /// Whether this process may mount, really tried where it need not.
  static let isPossible = Administrator.isExpected || (try? TinyDisk(megabytes: 1)) != nil
  static let isBtrfsPossible = kernelHasBtrfs && Administrator.isExpected || (try? TinyDisk(btrfsMegabytes: 112)) != nil

  private static let kernelHasBtrfs =
    (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8).contains("btrfs")) == true

  init(megabytes: Int) throws {
    folder = try TemporaryFolder()
    // The strings live for the call.
    let result = unsafe "size=\(megabytes)m".withCString { unsafe mount("tmpfs", folder.path, "tmpfs", 0, $0) }
    guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EPERM) }
  }

  /// A btrfs in a file, which writes elsewhere what is overwritten.
  init(btrfsMegabytes megabytes: Int) throws {
    folder = try TemporaryFolder()
    let image = folder.path + ".img"
    defer { try? FileManager.default.removeItem(atPath: image) }
    let script = #"truncate -s \#(megabytes)M "$0" && mkfs.btrfs -q -m single "$0" && mount -o loop "$0" "$1""#
    guard try Program.run("/bin/sh", ["-c", script, image, folder.path]).status == 0 else {
      throw POSIXError(.ENODEV)
    }
  }

  deinit {
    // Lazily: a server that is not gone yet keeps its files, and the name is free.
    _ = unsafe umount2(folder.path, Int32(MNT_DETACH))
  }

  /// Writes what is in memory to this disk, and to no other, which may have much more to write.
  func sync() throws {
    #expect(try Program.run("/usr/bin/sync", ["--file-system", folder.path]).status == 0)
  }

  /// From now on nothing can be written.
  func freeze() throws {
    // The strings live for the call.
    let result = unsafe mount(nil, folder.path, nil, UInt(MS_REMOUNT | MS_RDONLY), nil)
    guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EPERM) }
  }

  /// Takes a part of the space.
  func writeBallast(bytes: Int) throws {
    try Data(count: bytes).write(to: URL(filePath: ballast))
  }

  /// Takes what is left, and waits until all of it is on the disk.
  func fill() throws {
    let file = try FileHandle(forWritingTo: URL(filePath: ballast))
    let length = try file.seekToEnd()
    for size in [1 << 16, 4096, 1] {
      while (try? file.write(contentsOf: Data(count: size))) != nil {}
    }
    #expect(try file.offset() > length)
    try sync()
  }

  func removeBallast() throws {
    try FileManager.default.removeItem(atPath: ballast)
  }

  private var ballast: String { folder.path + "/ballast" }
}
