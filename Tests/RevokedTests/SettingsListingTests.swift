import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct SettingsListingTests {
  private let inputs = ConfigurationInputs.stub(
    "secrets: [0123456789-secret-a, 0123456789-secret-b]\nhandlers.audit: {kind: log, events: [ping, 'user.*']}",
    environment: ["REVOKED_PRIVATE_TOKEN": "0123456789-secret-c"], flags: [("listen", "unix:/run/a.sock")])

  @Test func `Every key is printed once, with its value and where it came from`() throws {
    let listing = try Settings.load(inputs).listing
    let lines = listing.split(separator: "\n").map(String.init)
    #expect(lines.count == Settings.keys.count + 2)
    for (key, expected, origin) in [
      ("secrets", "(2 secrets)", "file revoked.yaml:1"), ("listen", "unix:/run/a.sock", "flag"),
      ("private-token", "(1 secret)", "environment REVOKED_PRIVATE_TOKEN"), ("limits.body", "262144", "default"),
      ("handlers.audit.kind", "log", "file revoked.yaml:2"),
      ("handlers.audit.events", #"["ping", "user.*"]"#, "file revoked.yaml:2"),
    ] {
      #expect(lines.count { $0.hasPrefix("\(key) = \(expected) ") && $0.hasSuffix("   # \(origin)") } == 1)
    }
    #expect(Set(lines.compactMap { $0.firstIndex(of: "#")?.utf16Offset(in: $0) }).count == 1)
    #expect(!listing.contains("0123456789"))
  }

  @Test func `JSON has the same, sorted, and no secret either`() throws {
    let listing = try Settings.load(inputs).listingJSON
    #expect(listing.hasPrefix("{\n  \"data\" : {\n    \"source\" : \"default\",\n    \"value\" : \"./data\"\n  },\n"))
    #expect(
      listing.contains(
        """
          "handlers.audit.events" : {
            "source" : "file revoked.yaml:2",
            "value" : [
              "ping",
              "user.*"
            ]
          },

        """))
    #expect(listing.contains(#""count" : 2,"#))
    #expect(!listing.contains("0123456789"))
  }

  @Test func `What is not set has no value`() throws {
    let settings = try Settings.load(.stub())
    #expect(settings.listing.contains("private-token = (none) "))
    #expect(
      settings.listingJSON.contains("\"private-token\" : {\n    \"source\" : \"default\",\n    \"value\" : null\n"))
  }
}
