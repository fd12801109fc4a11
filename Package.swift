// swift-tools-version: 6.2
import PackageDescription

// Every warning is an error in CI only, so that a newer compiler's new warnings never break a user's build.
let warnings: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

let swift: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + warnings

// What only a build with `--traits PostgreSQL` has. Without it these targets are empty, and libpq is not needed.
func postgreSQL(_ name: String) -> Target.Dependency {
  .target(name: name, condition: .when(traits: ["PostgreSQL"]))
}

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swift)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: swift)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

// The list reads from the wire down to the service: a target may import only what stands above it.
let package = Package(
  name: "revoked",
  products: [
    .executable(name: "revoked", targets: ["revoked"]),
    // With the targets whose types its API shows.
    .library(
      name: "Receiver",
      targets: ["Receiver", "Handlers", "DynamicEvents", "Signature", "HTTPServer", "HTTPMessage"]),
  ],
  traits: [
    .trait(name: "PostgreSQL", description: "A store on PostgreSQL, which several receivers share.")
  ],
  dependencies: [
    // The command line: help, validation and exit codes as users know them.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // The logging interface that an embedding server already uses.
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // File descriptors, paths and error numbers.
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    // Configuration files with comments, and line numbers for every complaint about them.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // The page's files are part of its C file.
    .target(name: "StatusPage", exclude: ["Page"]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLinux"),
    .target(name: "CSpawn"),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    // What both floors above it, HTTP and events, read bytes with.
    target("Bytes"),
    target("HTTPMessage", ["Bytes"]),
    target("HTTPServer", ["Bytes", "HTTPMessage", "CLinux"]),
    target("Outgoing", ["Bytes", "CCurl", "CLinux"]),
    target("Signature", ["Bytes", "COpenSSL"]),
    target("DynamicEvents", ["Bytes", "Signature"]),
    target("AccessTokens", ["Bytes", "COpenSSL", "Signature", "DynamicEvents"]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    target("SQLite", ["CSQLite"]),
    target("KeyIndex", ["Bytes", "SQLite"]),
    // What every engine and every user of a store has in common.
    target("Storage", ["Bytes", "Signature", "DynamicEvents"]),
    // The embedded engine.
    target(
      "RevocationStore",
      ["Bytes", "DynamicEvents", "Storage", "SQLite", "KeyIndex", "CLinux", systemPackage]),
    .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    target("PostgreSQL", [postgreSQL("CPostgreSQL")]),
    target("PostgreSQLStore", [postgreSQL("PostgreSQL"), "DynamicEvents", "Storage", "CLinux"]),
    target("DynamicAPI", ["Bytes", "Outgoing", "Signature", "DynamicEvents"]),
    target("Recovery", ["DynamicAPI", "Signature", "DynamicEvents", "Storage"]),
    target(
      "Handlers",
      [
        "CLinux", "CSpawn", "Outgoing", "Signature", "DynamicEvents", "Storage", logging, systemPackage,
      ]),
    target(
      "Receiver",
      [
        "Bytes", "HTTPMessage", "HTTPServer", "Signature", "DynamicEvents", "AccessTokens", "Storage",
        "RevocationStore", postgreSQL("PostgreSQLStore"), "Handlers", "Outgoing", "DynamicAPI", "Recovery",
        "StatusPage", "CZlib", logging,
      ]),
    .executableTarget(
      name: "revoked",
      dependencies: [
        "Bytes", "CLinux", "Outgoing", "Receiver", "HTTPServer", "HTTPMessage", "Signature", "DynamicEvents",
        "DynamicAPI", "Storage", "RevocationStore", "Recovery", "Handlers", logging, "Yams",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),

    .target(
      name: "TestSupport",
      dependencies: ["HTTPMessage", "HTTPServer", "COpenSSL", "Signature", "DynamicEvents", logging],
      path: "Tests/TestSupport", resources: [.copy("Endpoint/endpoint.py")], swiftSettings: swift),
    tests(
      "PostgreSQLTests", [postgreSQL("PostgreSQL"), "PostgreSQLStore", "Storage", "DynamicEvents", "TestSupport"]),
    tests("BytesTests", ["Bytes", "TestSupport"]),
    tests("HTTPMessageTests", ["HTTPMessage", "TestSupport"], resources: [.copy("Fixtures")]),
    tests("OutgoingTests", ["Outgoing", "TestSupport"]),
    tests("HTTPServerTests", ["Bytes", "HTTPServer", "HTTPMessage", "TestSupport"]),
    tests("SignatureTests", ["Signature", "TestSupport"]),
    tests("DynamicEventsTests", ["DynamicEvents", "Signature", "TestSupport"]),
    tests(
      "AccessTokensTests", ["AccessTokens", "RevocationStore", "Storage", "DynamicEvents", "Signature", "TestSupport"],
      resources: [.copy("Libraries/libraries.py")]),
    tests("DynamicAPITests", ["DynamicAPI", "Outgoing", "Signature", "DynamicEvents", "TestSupport"]),
    tests(
      "RecoveryTests",
      ["Recovery", "DynamicAPI", "RevocationStore", "Storage", "Signature", "DynamicEvents", "TestSupport"]),
    .target(name: "CFaultyDisk", path: "Tests/CFaultyDisk", linkerSettings: [.linkedLibrary("sqlite3")]),
    tests(
      "RevocationStoreTests",
      [
        "RevocationStore", postgreSQL("PostgreSQLStore"), "Storage", "KeyIndex", "SQLite", "DynamicEvents",
        "TestSupport", "CFaultyDisk",
      ]),
    tests(
      "HandlersTests", ["Handlers", "RevocationStore", "Storage", "DynamicEvents", "TestSupport", logging],
      resources: [.copy("Forward/peer.py")]),
    tests(
      "ReceiverTests",
      [
        "Receiver", "HTTPServer", "Signature", "DynamicEvents", "AccessTokens", "RevocationStore", "Storage",
        "Handlers",
        "TestSupport", logging,
      ]),
    tests(
      "RevokedTests",
      [
        "revoked", "Receiver", "HTTPServer", "HTTPMessage", "Signature", "DynamicEvents", "DynamicAPI", "TestSupport",
        logging,
      ]),
    tests(
      "FuzzTests",
      [
        "revoked", "HTTPMessage", "Signature", "DynamicEvents", "AccessTokens", "RevocationStore", "Storage",
        "DynamicAPI",
        "Outgoing", "Receiver", "TestSupport",
      ]),
    tests(
      "AcceptanceTests",
      [
        "revoked", "RevocationStore", "Storage", "DynamicEvents", "HTTPServer", "HTTPMessage", "Signature",
        "TestSupport",
        "SQLite",
        "Yams",
      ], resources: [.copy("Clients/Applications"), .copy("Description/Schemathesis")]),
  ]
)
