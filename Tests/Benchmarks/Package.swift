// swift-tools-version: 6.2
import PackageDescription

// What the hot path costs, as instructions and allocations for each operation: numbers that do not depend on what else the machine does.
//
//   swift run -c release --package-path Tests/Benchmarks
//
// prints the table, and fails when an operation costs more than its promise in Operation+All.swift. Instructions need `valgrind`.
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
  targets: [
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
    .target(name: "CAllocations"),
    .target(name: "HTTPMessage", swiftSettings: swift),
    .target(name: "Signature", dependencies: ["COpenSSL"], swiftSettings: swift),
    .target(name: "DynamicEvents", dependencies: ["Signature"], swiftSettings: swift),
    .executableTarget(
      name: "Benchmarks", dependencies: ["CAllocations", "HTTPMessage", "Signature", "DynamicEvents"],
      swiftSettings: swift,
      // Stripped: Debian 12's valgrind gives up on Swift's DWARF 5.
      linkerSettings: [.unsafeFlags(["-Xlinker", "--strip-debug"])]),
  ]
)
