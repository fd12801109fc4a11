// swift-tools-version: 6.2
import PackageDescription

// The checks of Tests/FuzzTests under libFuzzer, which looks for new ways through the code for as long as it is let:
//
//   swift build -c release --sanitize fuzzer --product FuzzReader --package-path Tests/Fuzzing
//   mkdir -p .build/FuzzReader
//   SWIFT_BACKTRACE=enable=no Tests/Fuzzing/.build/release/FuzzReader .build/FuzzReader \
//     -dict=Tests/Fuzzing/FuzzReader.dict -max_len=4096 -max_total_time=600 -artifact_prefix=.build/
//
// and the same with FuzzChunk, FuzzEvent, FuzzToken, FuzzFeed, FuzzAnswer and FuzzSettings. A broken promise ends the
// run with its sentence, a trap in the code is a finding by itself. The input is in the file that the last lines name;
// given as the only argument, it is run again. Swift's own crash reporter must be off, or it comes before libFuzzer's
// and no file is written.
//
// A package of its own, because every target must be instrumented and the executables get libFuzzer's `main`. It
// compiles the sources themselves, through symbolic links: a dependency on `../..` would hide their `package`
// declarations.
let swift: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  // Release builds as well have their internal declarations tested.
  .target(name: name, dependencies: dependencies, swiftSettings: swift + [.unsafeFlags(["-enable-testing"])])
}

func fuzzer(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, exclude: exclude,
    swiftSettings: swift + [.unsafeFlags(["-parse-as-library"])])
}

/// What `Checks` imports.
let checked: [Target.Dependency] = ["HTTPMessage", "Signature", "DynamicEvents", "AccessTokens"]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "Fuzzing",
  // As in the package itself.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(name: "StatusPage", exclude: ["Page"]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
    .systemLibrary(name: "CLinux"),
    .target(name: "CSpawn"),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
    target("Bytes"),
    target("HTTPMessage", ["Bytes"]),
    target("HTTPServer", ["Bytes", "HTTPMessage", "CLinux"]),
    target("Outgoing", ["Bytes", "CCurl", "CLinux"]),
    target("Signature", ["Bytes", "COpenSSL"]),
    target("DynamicEvents", ["Bytes", "Signature"]),
    target("AccessTokens", ["Bytes", "COpenSSL", "Signature", "DynamicEvents"]),
    target("SQLite", ["CSQLite"]),
    target("KeyIndex", ["Bytes", "SQLite"]),
    target("Storage", ["Bytes", "Signature", "DynamicEvents"]),
    target("RevocationStore", ["Bytes", "DynamicEvents", "Storage", "SQLite", "KeyIndex", "CLinux", systemPackage]),
    target("DynamicAPI", ["Bytes", "Outgoing", "Signature", "DynamicEvents"]),
    target("Recovery", ["DynamicAPI", "Signature", "DynamicEvents", "Storage"]),
    target(
      "Handlers",
      ["CLinux", "CSpawn", "Outgoing", "Signature", "DynamicEvents", "Storage", logging, systemPackage]),
    target(
      "Receiver",
      [
        "Bytes", "HTTPMessage", "HTTPServer", "Signature", "DynamicEvents", "AccessTokens", "Storage",
        "RevocationStore", "Handlers", "Outgoing", "DynamicAPI", "Recovery", "StatusPage", "CZlib", logging,
      ]),
    fuzzer("FuzzReader", checked),
    fuzzer("FuzzChunk", checked),
    fuzzer("FuzzEvent", checked),
    fuzzer("FuzzToken", checked),
    fuzzer("FuzzFeed", ["Bytes", "HTTPMessage", "Storage"]),
    fuzzer("FuzzAnswer", checked + ["DynamicAPI", "Outgoing"]),
    fuzzer(
      "FuzzSettings",
      [
        "Bytes", "CLinux", "Outgoing", "DynamicAPI", "Receiver", "HTTPServer", "HTTPMessage", "Signature",
        "DynamicEvents", "Storage", "RevocationStore", "Recovery", "Handlers", logging, "Yams",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      // Its `main` is libFuzzer's.
      exclude: ["revoked/Revoked.swift"]),
  ]
)
