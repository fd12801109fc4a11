// swift-tools-version: 6.2
import PackageDescription

// What the hot path costs, as instructions and allocations for each operation: numbers that do not depend on what else
// the machine does.
//
//   swift run -c release --package-path Tests/Benchmarks Benchmarks
//
// prints two tables, and fails when an operation costs more than its promise in Operation+All.swift or Store.swift.
// Instructions need `valgrind`, system calls `strace`.
//
//   swift run -c release --package-path Tests/Benchmarks Isolation
//
// measures what a handler that hangs and one that fails cost a third: a ratio of times, so the machine should do
// nothing else.
//
//   swift run -c release --package-path Tests/Benchmarks Scale
//
// measures what ten million sessions cost, as ratios to a thousand, and fails when one is over its bound. It needs 10
// GB of the temporary folder (TMPDIR), and a machine that does nothing else. An argument is another number of sessions.
//
// A package of its own, so that users never resolve it. It compiles the sources themselves, through symbolic links: a
// dependency on `../..` would hide their `package` declarations, and `-enable-testing` would change what is measured.
let swift: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
    .target(name: "CAllocations"),
    .target(name: "Bytes", swiftSettings: swift),
    .target(name: "HTTPMessage", dependencies: ["Bytes"], swiftSettings: swift),
    .target(name: "Signature", dependencies: ["Bytes", "COpenSSL"], swiftSettings: swift),
    .target(name: "DynamicEvents", dependencies: ["Bytes", "Signature"], swiftSettings: swift),
    .systemLibrary(name: "CLinux"),
    .target(name: "CSpawn"),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),
    .target(name: "Outgoing", dependencies: ["Bytes", "CCurl", "CLinux"], swiftSettings: swift),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
    .target(name: "SQLite", dependencies: ["CSQLite"], swiftSettings: swift),
    .target(name: "KeyIndex", dependencies: ["Bytes", "SQLite"], swiftSettings: swift),
    .target(name: "Storage", dependencies: ["Bytes", "Signature", "DynamicEvents"], swiftSettings: swift),
    .target(
      name: "RevocationStore",
      dependencies: [
        "Bytes", "DynamicEvents", "Storage", "SQLite", "KeyIndex", "CLinux",
        .product(name: "SystemPackage", package: "swift-system"),
      ], swiftSettings: swift),
    .target(
      name: "Handlers",
      dependencies: [
        "CLinux", "CSpawn", "Outgoing", "Signature", "DynamicEvents", "Storage",
        .product(name: "Logging", package: "swift-log"), .product(name: "SystemPackage", package: "swift-system"),
      ], swiftSettings: swift),
    .executableTarget(
      name: "Isolation",
      dependencies: [
        "DynamicEvents", "Storage", "RevocationStore", "Handlers", .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: swift),
    .executableTarget(
      name: "Scale", dependencies: ["CAllocations", "DynamicEvents", "Storage", "RevocationStore"], swiftSettings: swift
    ),
    .executableTarget(
      name: "Benchmarks",
      dependencies: ["CAllocations", "HTTPMessage", "Signature", "DynamicEvents", "Storage", "RevocationStore"],
      swiftSettings: swift,
      // Stripped: Debian 12's valgrind gives up on Swift's DWARF 5.
      linkerSettings: [.unsafeFlags(["-Xlinker", "--strip-debug"])]),
  ]
)
