// swift-tools-version: 6.2
import PackageDescription

// The checks of Tests/FuzzTests under libFuzzer, which looks for new ways through the code for as long as it is let:
//
//   swift build -c release --sanitize fuzzer --product FuzzReader --package-path Tests/Fuzzing
//   mkdir -p .build/FuzzReader
//   SWIFT_BACKTRACE=enable=no Tests/Fuzzing/.build/release/FuzzReader .build/FuzzReader \
//     -dict=Tests/Fuzzing/FuzzReader.dict -max_len=4096 -max_total_time=600 -artifact_prefix=.build/
//
// and the same with FuzzEvent and FuzzToken. A broken promise ends the run with its sentence, a trap in the code is a
// finding by itself. The input is in the file that the last lines name; given as the only argument, it is run again.
// Swift's own crash reporter must be off, or it comes before libFuzzer's and no file is written.
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

func fuzzer(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["HTTPMessage", "Signature", "DynamicEvents", "AccessTokens"],
    swiftSettings: swift + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
  name: "Fuzzing",
  targets: [
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
    .target(name: "HTTPMessage", swiftSettings: swift),
    .target(name: "Signature", dependencies: ["COpenSSL"], swiftSettings: swift),
    .target(name: "DynamicEvents", dependencies: ["Signature"], swiftSettings: swift),
    .target(
      name: "AccessTokens", dependencies: ["COpenSSL", "Signature", "DynamicEvents"], swiftSettings: swift),
    fuzzer("FuzzReader"),
    fuzzer("FuzzEvent"),
    fuzzer("FuzzToken"),
  ]
)
